// Element by element: add, sub, mul, scale, relu, tanh. The pattern for an op: check, compute,
// record a rule that adds. Refuses to broadcast: shapes must be equal.
// Read next: linear.cpp.
#include <cmath>

#include "autograd/ops.h"
#include "autograd/ops/inputs.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

void check_same_shape(const char* op, const Variable& a, const Variable& b) {
    check_defined(op, a);
    check_defined(op, b);
    check(a.shape() == b.shape(), "{}: shapes must be equal, found {} and {}", op, a.shape().str(),
          b.shape().str());
}

// Calls body(i) for every i in [0, count) on all threads, in loops that vectorise.
template <class Body>
void for_each(int64_t count, const Body& body) {
    parallel_for(count, elementwise_grain, [&](int64_t begin, int64_t end) {
#pragma omp simd
        for (int64_t i = begin; i < end; ++i) {
            body(i);
        }
    });
}

}  // namespace

Variable add(const Variable& a, const Variable& b) {
    check_same_shape("add", a, b);
    const Tensor out = Tensor::empty(a.shape());
    // out = a + b
    for_each(out.numel(), [x = a.value().data(), y = b.value().data(), z = out.data()](int64_t i) {
        z[i] = x[i] + y[i];
    });
    return record("add", out, {a, b}, [](const Tensor& dout, std::span<Tensor* const> din) {
        for (Tensor* const d : din) {  // da = db = dout
            if (d != nullptr) {
                for_each(dout.numel(),
                         [dx = d->data(), g = dout.data()](int64_t i) { dx[i] += g[i]; });
            }
        }
    });
}

Variable sub(const Variable& a, const Variable& b) {
    check_same_shape("sub", a, b);
    const Tensor out = Tensor::empty(a.shape());
    // out = a - b
    for_each(out.numel(), [x = a.value().data(), y = b.value().data(), z = out.data()](int64_t i) {
        z[i] = x[i] - y[i];
    });
    return record("sub", out, {a, b}, [](const Tensor& dout, std::span<Tensor* const> din) {
        for (size_t input = 0; input < 2; ++input) {  // da = dout, db = -dout
            if (din[input] != nullptr) {
                const real sign = input == 0 ? 1 : -1;
                for_each(dout.numel(), [sign, dx = din[input]->data(), g = dout.data()](int64_t i) {
                    dx[i] += sign * g[i];
                });
            }
        }
    });
}

Variable mul(const Variable& a, const Variable& b) {
    check_same_shape("mul", a, b);
    const Tensor out = Tensor::empty(a.shape()), x = a.value(), y = b.value();
    // out = a * b
    for_each(out.numel(),
             [x = x.data(), y = y.data(), z = out.data()](int64_t i) { z[i] = x[i] * y[i]; });
    return record("mul", out, {a, b}, [x, y](const Tensor& dout, std::span<Tensor* const> din) {
        for (size_t input = 0; input < 2; ++input) {  // da = dout * b, db = dout * a
            if (din[input] != nullptr) {
                const Tensor& other = input == 0 ? y : x;
                for_each(dout.numel(), [dx = din[input]->data(), g = dout.data(),
                                        o = other.data()](int64_t i) { dx[i] += g[i] * o[i]; });
            }
        }
    });
}

Variable scale(const Variable& x, real factor) {
    check_defined("scale", x);
    const Tensor out = Tensor::empty(x.shape());
    // out = factor * x
    for_each(out.numel(),
             [factor, x = x.value().data(), y = out.data()](int64_t i) { y[i] = factor * x[i]; });
    return record("scale", out, {x}, [factor](const Tensor& dout, std::span<Tensor* const> din) {
        for_each(dout.numel(), [factor, dx = din[0]->data(), g = dout.data()](int64_t i) {
            dx[i] += factor * g[i];
        });
    });
}

Variable relu(const Variable& x) {
    check_defined("relu", x);
    const Tensor out = Tensor::empty(x.shape());
    // out = max(x, 0); written so that NaN stays NaN
    for_each(out.numel(),
             [x = x.value().data(), y = out.data()](int64_t i) { y[i] = x[i] < 0 ? 0 : x[i]; });
    // The result tells where x was positive: it is not 0 there. So x need not be kept.
    return record("relu", out, {x}, [out](const Tensor& dout, std::span<Tensor* const> din) {
        for_each(dout.numel(), [dx = din[0]->data(), g = dout.data(), y = out.data()](int64_t i) {
            dx[i] += y[i] != 0 ? g[i] : 0;
        });
    });
}

Variable tanh(const Variable& x) {
    check_defined("tanh", x);
    const Tensor out = Tensor::empty(x.shape());
    // out = tanh(x)
    for_each(out.numel(),
             [x = x.value().data(), y = out.data()](int64_t i) { y[i] = std::tanh(x[i]); });
    return record("tanh", out, {x}, [out](const Tensor& dout, std::span<Tensor* const> din) {
        // dx = dout * (1 - tanh(x)^2)
        for_each(dout.numel(), [dx = din[0]->data(), g = dout.data(), y = out.data()](int64_t i) {
            dx[i] += g[i] * (1 - y[i] * y[i]);
        });
    });
}

}  // namespace smoe
