// Lesson 4: an op of your own in twenty lines, and the test that it is right.
// The op is softplus(x) = log(1 + e^x), a smooth form of relu(x) = max(x, 0). Its derivative is the
// sigmoid, 1 / (1 + e^-x).
// Next: 05_spirals.cpp. To add an op to the library itself, see the README.
#include <fmt/core.h>

#include <cmath>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "core/rng.h"

using namespace smoe;

namespace {

Variable softplus(const Variable& x) {
    const Tensor X = x.value(), out = Tensor::empty(x.shape());
    // out = log(1 + e^x), written so that e^x cannot overflow
    for (int64_t i = 0; i < out.numel(); ++i) {
        out.data()[i] =
            std::max(X.data()[i], real(0)) + std::log1p(std::exp(-std::abs(X.data()[i])));
    }
    return record("softplus", out, {x}, [X](const Tensor& dout, std::span<Tensor* const> din) {
        for (int64_t i = 0; i < dout.numel(); ++i) {  // dx += dout / (1 + e^-x)
            din[0]->data()[i] += dout.data()[i] / (1 + std::exp(-X.data()[i]));
        }
    });
}

// The same op with a rule that is wrong by a factor of 1.05.
Variable wrong_softplus(const Variable& x) {
    const Variable right = softplus(x);
    return record("wrong_softplus", right.value(), {x},
                  [X = x.value()](const Tensor& dout, std::span<Tensor* const> din) {
                      for (int64_t i = 0; i < dout.numel(); ++i) {
                          din[0]->data()[i] +=
                              real(1.05) * dout.data()[i] / (1 + std::exp(-X.data()[i]));
                      }
                  });
}

// Largest difference between the op's gradient and central differences of sum(v * op(x)), with
// random v. If v were all ones, mistakes that cancel in the sum would pass.
double gradient_error(Variable (*op)(const Variable&)) {
    Rng rng(1);
    const Tensor start = Tensor::empty({6}), v = Tensor::empty({6});
    for (int64_t i = 0; i < 6; ++i) {
        start.data()[i] = real(2 * rng.normal());
        v.data()[i] = real(rng.normal());
    }
    const Variable x(start.clone(), true);
    backward(op(x), v);
    const auto weighted_sum = [&](int64_t changed, real by) {
        const Tensor moved = start.clone();
        moved.data()[changed] += by;
        const Tensor y = op(Variable(moved)).value();
        double total = 0;
        for (int64_t i = 0; i < 6; ++i) {
            total += double(v.data()[i]) * y.data()[i];
        }
        return total;
    };
    double worst = 0;
    const real h = 1e-2f;  // in float, a smaller step would drown in rounding
    fmt::print(
        "        x    gradient   differences\n");  // of sum(v * op(x)): v times the derivative
    for (int64_t i = 0; i < 6; ++i) {
        const double difference = (weighted_sum(i, h) - weighted_sum(i, -h)) / (2 * h);
        fmt::print("  {:8.4f}  {:9.5f}  {:9.5f}\n", start.data()[i], x.grad().data()[i],
                   difference);
        worst = std::max(worst, std::abs(difference - x.grad().data()[i]));
    }
    return worst;
}

}  // namespace

int main() {
    fmt::print("softplus against central differences:\n");
    const double right = gradient_error(softplus);
    fmt::print("  largest difference {:.1e}\n\nA rule that is 5 % off:\n", right);
    const double wrong = gradient_error(wrong_softplus);
    fmt::print("  largest difference {:.1e}\n\n", wrong);
    check(right < 1e-3, "lesson: the right rule should agree with differences");
    check(wrong > 1e-2, "lesson: the check should notice the wrong rule");
    fmt::print(
        "The check tells the two apart. tests/autograd does this for every op, in double.\n");
    return 0;
}
