// A solution of autograd_logistic.cpp that its test must refuse: e^x overflows.
// Read next: tests/exercises/autograd_logistic.cpp, its test.
#include <cmath>

#include "autograd/ops.h"

smoe::Variable logistic(const smoe::Variable& x) {
    using namespace smoe;
    const Tensor out = Tensor::empty(x.shape());
    for (int64_t i = 0; i < out.numel(); ++i) {
        const real power = std::exp(x.value().data()[i]);
        out.data()[i] = power / (1 + power);
    }
    return record("logistic", out, {x}, [out](const Tensor& dout, std::span<Tensor* const> din) {
        for (int64_t i = 0; i < dout.numel(); ++i) {
            const real y = out.data()[i];
            din[0]->data()[i] += dout.data()[i] * y * (1 - y);
        }
    });
}
