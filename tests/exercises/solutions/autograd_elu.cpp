// One solution of the exercise autograd_elu.cpp; write your own first.
// Read next: tests/exercises/autograd_elu.cpp, its test.
#include <cmath>

#include "autograd/ops.h"

smoe::Variable elu(const smoe::Variable& x) {
    using namespace smoe;
    const Tensor X = x.value(), out = Tensor::empty(x.shape());
    for (int64_t i = 0; i < out.numel(); ++i) {
        out.data()[i] = X.data()[i] > 0 ? X.data()[i] : std::expm1(X.data()[i]);
    }
    return record("elu", out, {x}, [out](const Tensor& dout, std::span<Tensor* const> din) {
        for (int64_t i = 0; i < dout.numel(); ++i) {  // dx += dout * (1, or e^x = y + 1)
            const real y = out.data()[i];
            din[0]->data()[i] += dout.data()[i] * (y > 0 ? 1 : y + 1);
        }
    });
}
