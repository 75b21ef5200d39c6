// A solution of core_row_sums.cpp that its test must refuse: one thread does all of the work.
// Read next: tests/exercises/core_row_sums.cpp, its test.
#include "core/tensor.h"

smoe::Tensor row_sums(const smoe::Tensor& x) {
    const smoe::Tensor sums = smoe::Tensor::zeros({x.size(0)});
    for (int64_t i = 0; i < x.numel(); ++i) {
        sums.data()[i / x.size(1)] += x.data()[i];
    }
    return sums;
}
