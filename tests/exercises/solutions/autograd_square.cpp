// One solution of the exercise autograd_square.cpp; write your own first.
// Read next: tests/exercises/autograd_square.cpp, its test.
#include "autograd/ops.h"

smoe::Variable square(const smoe::Variable& x) {
    using namespace smoe;
    const Tensor X = x.value(), out = Tensor::empty(x.shape());
    for (int64_t i = 0; i < out.numel(); ++i) {
        out.data()[i] = X.data()[i] * X.data()[i];
    }
    return record("square", out, {x}, [X](const Tensor& dout, std::span<Tensor* const> din) {
        for (int64_t i = 0; i < dout.numel(); ++i) {
            din[0]->data()[i] += 2 * X.data()[i] * dout.data()[i];
        }
    });
}
