// One solution of the exercise core_transpose.cpp; write your own first.
// Read next: tests/exercises/core_transpose.cpp, its test.
#include <algorithm>

#include "core/check.h"
#include "core/tensor.h"
#include "core/threads.h"

smoe::Tensor transposed(const smoe::Tensor& x) {
    using namespace smoe;
    check(x.shape().rank() == 2, "transposed: expected a matrix, found {}", x.shape().str());
    const int64_t M = x.size(0), N = x.size(1);
    constexpr int64_t tile = 16;
    const Tensor y = Tensor::empty({N, M});
    parallel_for(N, tile, [&](int64_t first, int64_t last) {  // columns of x, rows of y
        for (int64_t begin = 0; begin < M; begin += tile) {
            for (int64_t j = first; j < last; ++j) {
                for (int64_t i = begin; i < std::min(M, begin + tile); ++i) {
                    y.data()[j * M + i] = x.data()[i * N + j];
                }
            }
        }
    });
    return y;
}
