// One solution of the exercise core_transpose.cpp; write your own first.
// Read next: tests/exercises/core_transpose.cpp, its test.
#include <algorithm>

#include "core/check.h"
#include "core/tensor.h"
#include "core/threads.h"

void transpose_in_place(const smoe::Tensor& x) {
    using namespace smoe;
    check(x.shape().rank() == 2 && x.size(0) == x.size(1),
          "transpose_in_place: expected a square matrix, found {}", x.shape().str());
    const int64_t N = x.size(0);
    constexpr int64_t tile = 16;
    // The squares of rows [first, last) right of the diagonal change places with those below it: a
    // pair of numbers belongs to the chunk of the smaller of its two indices.
    parallel_for(N, tile, [&](int64_t first, int64_t last) {
        for (int64_t begin = first; begin < N; begin += tile) {
            for (int64_t i = first; i < last; ++i) {
                for (int64_t j = std::max(begin, i + 1); j < std::min(N, begin + tile); ++j) {
                    std::swap(x.data()[i * N + j], x.data()[j * N + i]);
                }
            }
        }
    });
}
