// The project's own matrix product, in float32 (or double) and in bfloat16. The operands are copied
// ("packed") into the order in which the innermost loop reads them. Whatever is to happen on the way
// happens in that copy and nowhere else: rounding to bfloat16, transposing, and picking rows or
// columns from a larger matrix.
// Read next: packed_gemm.cpp; blas.h, whose products are this one where there is no library.
#pragma once

#include "core/blas.h"

namespace smoe {

// A matrix as a product sees it: lanes (rows of A, columns of B) that are multiplied along the
// depth. Number (l, k) is data[lane * lane_stride + depth * depth_stride], where lane is lanes[l],
// or l if there is no such list, and depth is depths[k] or k likewise. Lists are rising.
struct Operand {
    const real* data;
    int64_t lane_stride, depth_stride;
    const int32_t* lanes = nullptr;
    const int32_t* depths = nullptr;
};

// The result as rows and columns of a matrix: number (m, n) is data[row * ld + col], where row is
// rows[m] or m, and col is cols[n] or n.
struct ProductResult {
    real* data;
    int64_t ld;
    const int32_t* rows = nullptr;
    const int32_t* cols = nullptr;
};

// C (M, N) = a (M, K) b (K, N) + beta C. In bfloat16 both operands are rounded to the
// nearest, ties to even, NaN kept; products and sums are float32. A sum depends on its row, its
// column and K alone, so neither threads nor ranges of rows change its bits. Runs on all threads, or
// on the calling thread alone inside a chunk of parallel work. Calls finish(block) as gemm does.
void packed_gemm(Precision precision, int64_t M, int64_t N, int64_t K, const Operand& a,
                 const Operand& b, real beta, const ProductResult& C,
                 Borrowed<const GemmBlock&> finish);

}  // namespace smoe
