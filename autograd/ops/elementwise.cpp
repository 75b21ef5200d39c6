// Element by element: add, sub, mul, div, scale, neg, relu, tanh. The pattern for an op: check,
// compute, record a rule that adds. elementwise.h says how two inputs meet.
// Read next: operators.cpp.
#include "autograd/ops/elementwise.h"

#include <cmath>

#include "autograd/ops.h"
#include "autograd/ops/inputs.h"

namespace smoe {

Broadcast broadcast(const char* op, const Variable& a, const Variable& b) {
    check_defined(op, a);
    check_defined(op, b);
    const int missing = a.shape().rank() - b.shape().rank();
    bool fits = missing >= 0;
    for (int dim = 0; fits && dim < b.shape().rank(); ++dim) {
        fits = b.shape()[dim] == a.shape()[missing + dim];
    }
    check(fits, "{}: the second shape must be the first or the end of it, found {} and {}", op,
          a.shape().str(), b.shape().str());
    return {a.shape().numel(), b.shape().numel()};
}

Variable add(const Variable& a, const Variable& b) {
    const Broadcast pairs = broadcast("add", a, b);
    const Tensor out = Tensor::empty(a.shape());
    // out = a + b
    pairs.combine<false>(a.value().data(), b.value().data(), out.data(),
                         [](real x, real y) { return x + y; });
    return record("add", out, {a, b}, [pairs](const Tensor& dout, std::span<Tensor* const> din) {
        const real* const g = dout.data();
        if (din[0] != nullptr) {  // da = dout
            for_each(pairs.count, [dx = din[0]->data(), g](int64_t i) { dx[i] += g[i]; });
        }
        if (din[1] != nullptr) {  // db = dout
            pairs.add_to_b(din[1]->data(), [g](int64_t i, int64_t) { return g[i]; });
        }
    });
}

Variable sub(const Variable& a, const Variable& b) {
    const Broadcast pairs = broadcast("sub", a, b);
    const Tensor out = Tensor::empty(a.shape());
    // out = a - b
    pairs.combine<false>(a.value().data(), b.value().data(), out.data(),
                         [](real x, real y) { return x - y; });
    return record("sub", out, {a, b}, [pairs](const Tensor& dout, std::span<Tensor* const> din) {
        const real* const g = dout.data();
        if (din[0] != nullptr) {  // da = dout
            for_each(pairs.count, [dx = din[0]->data(), g](int64_t i) { dx[i] += g[i]; });
        }
        if (din[1] != nullptr) {  // db = -dout
            pairs.add_to_b(din[1]->data(), [g](int64_t i, int64_t) { return -g[i]; });
        }
    });
}

Variable mul(const Variable& a, const Variable& b) {
    const Broadcast pairs = broadcast("mul", a, b);
    const Tensor out = Tensor::empty(a.shape()), X = a.value(), Y = b.value();
    const auto product = [](real x, real y) { return x * y; };
    pairs.combine<false>(X.data(), Y.data(), out.data(), product);  // out = a * b
    return record("mul", out, {a, b},
                  [pairs, product, X, Y](const Tensor& dout, std::span<Tensor* const> din) {
                      const real* const g = dout.data();
                      if (din[0] != nullptr) {  // da = dout * b
                          pairs.combine<true>(g, Y.data(), din[0]->data(), product);
                      }
                      if (din[1] != nullptr) {  // db = dout * a
                          pairs.add_to_b(din[1]->data(), [g, x = X.data()](int64_t i, int64_t) {
                              return g[i] * x[i];
                          });
                      }
                  });
}

Variable div(const Variable& a, const Variable& b) {
    const Broadcast pairs = broadcast("div", a, b);
    const Tensor out = Tensor::empty(a.shape()), X = a.value(), Y = b.value();
    const auto quotient = [](real x, real y) { return x / y; };
    pairs.combine<false>(X.data(), Y.data(), out.data(), quotient);  // out = a / b
    return record("div", out, {a, b},
                  [pairs, quotient, X, Y](const Tensor& dout, std::span<Tensor* const> din) {
                      const real* const g = dout.data();
                      if (din[0] != nullptr) {  // da = dout / b
                          pairs.combine<true>(g, Y.data(), din[0]->data(), quotient);
                      }
                      if (din[1] != nullptr) {  // db = -dout * a / b^2; b^2 could overflow
                          pairs.add_to_b(din[1]->data(),
                                         [g, x = X.data(), y = Y.data()](int64_t i, int64_t j) {
                                             return -g[i] * (x[i] / y[j] / y[j]);
                                         });
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

Variable neg(const Variable& x) {
    check_defined("neg", x);
    const Tensor out = Tensor::empty(x.shape());
    // out = -x
    for_each(out.numel(), [x = x.value().data(), y = out.data()](int64_t i) { y[i] = -x[i]; });
    return record("neg", out, {x}, [](const Tensor& dout, std::span<Tensor* const> din) {
        for_each(dout.numel(),
                 [dx = din[0]->data(), g = dout.data()](int64_t i) { dx[i] -= g[i]; });
    });
}

Variable relu(const Variable& x) {
    check_defined("relu", x);
    const Tensor out = Tensor::empty(x.shape());
    // out = max(x, 0); written so that NaN stays NaN
    for_each(out.numel(), [x = x.value().data(), y = out.data()](int64_t i) {
        const real a = x[i];  // always read, so that the loop has no branch
        y[i] = a < 0 ? 0 : a;
    });
    // The result is not 0 exactly where x was positive, so x need not be kept.
    return record("relu", out, {x}, [out](const Tensor& dout, std::span<Tensor* const> din) {
        for_each(dout.numel(), [dx = din[0]->data(), g = dout.data(), y = out.data()](int64_t i) {
            const real passed = g[i];
            dx[i] += y[i] != 0 ? passed : 0;
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
