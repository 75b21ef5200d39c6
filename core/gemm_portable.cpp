// A matrix product in plain C++, after Goto and van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication" (TOMS 2008): blocks of A and B are copied into the order in which the innermost
// loop reads them, and that loop keeps a small tile of C in registers. There are no intrinsics: the
// compiler vectorises the tile. OpenBLAS is about twice as fast.
// Read next: tests/core/blas_test.cpp, which compares all products.
#include <algorithm>
#include <vector>

#include "core/blas.h"

namespace smoe {
namespace {

constexpr int64_t tile_rows = 6, tile_cols = 128 / sizeof(real);  // two AVX-512 registers wide
constexpr int64_t block_k = 256, block_cols = 32 * tile_cols;

// Panels of `width` columns of op(X), each stored k by k; what sticks out is filled with zeros.
// Element (i, k) of the panel source lies at source[i * stride_i + k * stride_k].
void pack(const real* source, int64_t stride_i, int64_t stride_k, int64_t count, int64_t depth,
          int64_t width, real* packed) {
    for (int64_t begin = 0; begin < count; begin += width) {
        const int64_t filled = std::min(width, count - begin);
        for (int64_t k = 0; k < depth; ++k) {
            for (int64_t i = 0; i < width; ++i) {
                *packed++ = i < filled ? source[(begin + i) * stride_i + k * stride_k] : 0;
            }
        }
    }
}

// tile (tile_rows, tile_cols) = sum over k of a[k] outer b[k]
void multiply_tile(int64_t depth, const real* a, const real* b, real* tile) {
    real sum[tile_rows][tile_cols] = {};
    for (int64_t k = 0; k < depth; ++k) {
        for (int64_t i = 0; i < tile_rows; ++i) {
            const real a_ik = a[k * tile_rows + i];
#pragma omp simd
            for (int64_t j = 0; j < tile_cols; ++j) {
                sum[i][j] += a_ik * b[k * tile_cols + j];
            }
        }
    }
    std::copy_n(&sum[0][0], tile_rows * tile_cols, tile);
}

int64_t round_up(int64_t count, int64_t multiple) {
    return (count + multiple - 1) / multiple * multiple;
}

}  // namespace

void gemm_portable(Trans ta, Trans tb, int64_t M, int64_t N, int64_t K, const real* A, int64_t lda,
                   const real* B, int64_t ldb, real beta, real* C, int64_t ldc) {
    for (int64_t i = 0; i < M; ++i) {
        for (int64_t j = 0; j < N; ++j) {
            C[i * ldc + j] = beta == 0 ? 0 : beta * C[i * ldc + j];  // 0 * NaN must not survive
        }
    }
    const int64_t a_row = ta == Trans::yes ? 1 : lda, a_k = ta == Trans::yes ? lda : 1;
    const int64_t b_col = tb == Trans::yes ? ldb : 1, b_k = tb == Trans::yes ? 1 : ldb;
    const int64_t max_k = std::min(K, block_k), max_cols = std::min(N, block_cols);
    std::vector<real> packed_a(size_t(round_up(M, tile_rows) * max_k));
    std::vector<real> packed_b(size_t(round_up(max_cols, tile_cols) * max_k));
    real tile[tile_rows * tile_cols];
    for (int64_t k = 0; k < K; k += block_k) {
        const int64_t depth = std::min(block_k, K - k);
        pack(A + k * a_k, a_row, a_k, M, depth, tile_rows, packed_a.data());
        for (int64_t n = 0; n < N; n += block_cols) {
            const int64_t cols = std::min(block_cols, N - n);
            pack(B + k * b_k + n * b_col, b_col, b_k, cols, depth, tile_cols, packed_b.data());
            for (int64_t j = 0; j < cols; j += tile_cols) {
                for (int64_t i = 0; i < M; i += tile_rows) {
                    multiply_tile(depth, &packed_a[size_t(i * depth)], &packed_b[size_t(j * depth)],
                                  tile);
                    for (int64_t r = 0; r < std::min(tile_rows, M - i); ++r) {
                        for (int64_t c = 0; c < std::min(tile_cols, cols - j); ++c) {
                            C[(i + r) * ldc + n + j + c] += tile[r * tile_cols + c];
                        }
                    }
                }
            }
        }
    }
}

}  // namespace smoe
