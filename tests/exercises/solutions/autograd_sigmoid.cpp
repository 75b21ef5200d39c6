// One solution of the exercise autograd_sigmoid.cpp; write your own first.
// Read next: tests/exercises/autograd_sigmoid.cpp, its test.
#include <cmath>

#include "autograd/ops.h"

smoe::Variable sigmoid(const smoe::Variable& x) {
    using namespace smoe;
    const Tensor X = x.value(), out = Tensor::empty(x.shape());
    for (int64_t i = 0; i < out.numel(); ++i) {
        const real small = std::exp(-std::abs(X.data()[i]));  // at most 1
        out.data()[i] = (X.data()[i] < 0 ? small : 1) / (1 + small);
    }
    return record("sigmoid", out, {x}, [out](const Tensor& dout, std::span<Tensor* const> din) {
        for (int64_t i = 0; i < dout.numel(); ++i) {  // dx += dout * y * (1 - y)
            din[0]->data()[i] += dout.data()[i] * out.data()[i] * (1 - out.data()[i]);
        }
    });
}
