// The seam to the matrix product, the one kernel this project takes from a library: OpenBLAS at one
// thread, called from the project's own pool on fixed blocks of the result (two pools that both
// spin cost more than they bring). With BLAS=none the project's own blocked product takes its
// place. Only blas.cpp includes cblas.h. Nothing else of BLAS is used.
// Read next: vector_math.h.
#pragma once

#include <cstdint>
#include <string>

#include "core/precision.h"
#include "core/real.h"
#include "core/threads.h"

namespace smoe {

enum class Trans { no, yes };

// C (M, N) = op(A) (M, K) op(B) (K, N) + beta C, all row-major with leading dimensions lda, ldb,
// ldc; op transposes where asked: with ta = yes, A is stored as (K, M). beta = 0 overwrites C,
// whatever it held. Runs on all threads, or on the calling thread alone inside a chunk of parallel
// work. The bits are the same for any number of threads.
void gemm(Trans ta, Trans tb, int64_t M, int64_t N, int64_t K, const real* A, int64_t lda,
          const real* B, int64_t ldb, real beta, real* C, int64_t ldc,
          Precision precision = Precision::float32);

// A part of the result: rows row .. row + rows - 1 and columns col .. col + cols - 1.
struct GemmBlock {
    int64_t row, rows, col, cols;
};

// The same, but calls finish(block) for each block of C as soon as it is complete, on the thread
// that computed it and while it is still in that core's cache. The blocks cover C once.
void gemm(Trans ta, Trans tb, int64_t M, int64_t N, int64_t K, const real* A, int64_t lda,
          const real* B, int64_t ldb, real beta, real* C, int64_t ldc,
          Borrowed<const GemmBlock&> finish, Precision precision = Precision::float32);

// The same on the calling thread alone, for use inside a chunk of parallel work.
void gemm_serial(Trans ta, Trans tb, int64_t M, int64_t N, int64_t K, const real* A, int64_t lda,
                 const real* B, int64_t ldb, real beta, real* C, int64_t ldc);

std::string blas_name();  // for the line a run prints at its start

// If address space is limited (ulimit -v), makes the library allocate its working memory now: when
// OpenBLAS finds none later, it keeps asking for ever. Throws Error if there is not enough for
// threads().
void reserve_blas_memory();

}  // namespace smoe
