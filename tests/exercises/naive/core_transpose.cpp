// A solution of core_transpose.cpp that its test must refuse: one thread does all of the work.
// Read next: tests/exercises/core_transpose.cpp, its test.
#include <utility>

#include "core/check.h"
#include "core/tensor.h"

void transpose_in_place(const smoe::Tensor& x) {
    smoe::check(x.shape().rank() == 2 && x.size(0) == x.size(1),
                "transpose_in_place: expected a square matrix, found {}", x.shape().str());
    const int64_t N = x.size(0);
    for (int64_t i = 0; i < N; ++i) {
        for (int64_t j = 0; j < i; ++j) {
            std::swap(x.data()[i * N + j], x.data()[j * N + i]);
        }
    }
}
