// Lesson 3: one derivative, found three ways: by hand, by the tape, by differences. The function is
// the loss of one neuron, f = (tanh(w x) - t)^2, differentiated with respect to its weight w. A
// neuron multiplies what comes in by its weights, adds that up and bends the sum, here by tanh. By
// the chain rule, the derivative of steps one after the other is the product of the derivatives of
// the steps. So a machine can do it: a tape records each step (op) as it is computed, and is then
// walked backwards. Claims: all three agree, and the error of differences falls as h^2, until
// rounding makes it grow again.
// Next: 04_add_an_op.cpp.
#include <fmt/core.h>

#include <cmath>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"

using namespace smoe;

namespace {

constexpr double x = 0.5, t = 0.8;

// The same arithmetic twice: recorded and plain.
Variable loss(const Variable& w) {
    const Variable gap = smoe::tanh(real(x) * w) - real(t);
    return sum(gap * gap);
}
double loss(double w) {
    return std::pow(std::tanh(w * x) - t, 2);
}

}  // namespace

int main() {
    const double at = 0.6;

    const double y = std::tanh(at * x);
    const double by_hand = 2 * (y - t) * (1 - y * y) * x;
    fmt::print(
        "By hand, with y = tanh(w x) and the chain rule:\n"
        "    df/dw = 2 (y - t) (1 - y^2) x = {:.7f}\n\n",
        by_hand);

    const Variable w(Tensor::full({1}, real(at)), true);
    const Variable f = loss(w);
    fmt::print("By tape. These ops were recorded, each with a rule for its own derivative:\n   ");
    for (const std::string& name : graph_names(f)) {
        fmt::print(" {}", name);
    }
    backward(f);
    const double by_tape = w.grad().item();
    fmt::print("\n    backward walks them from last to first: df/dw = {:.7f}\n\n", by_tape);

    fmt::print(
        "By differences, (f(w + h) - f(w - h)) / 2h. A tenth of h makes the error 100 times\n"
        "smaller, until rounding takes over: f has an error of about 1e-16, and dividing it by h\n"
        "gives up to 1e-16 / h. By chance it may be less, as for 1e-7.\n");
    double best = 1;
    for (double h = 1e-1; h > 1e-12; h /= 10) {
        const double by_difference = (loss(at + h) - loss(at - h)) / (2 * h);
        const double error = std::abs(by_difference - by_hand);
        fmt::print("    h = {:.0e}   {:.10f}   error {:.1e}\n", h, by_difference, error);
        check(error < 0.04 * h * h + 2e-16 / h, "lesson: the error should be h^2 and rounding");
        check(h < 1e-3 || error > 0.02 * h * h, "lesson: the error should be h^2 at first");
        best = std::min(best, error);
    }
    check(std::abs(by_tape - by_hand) < 1e-6, "lesson: tape and hand should agree");
    check(best < 1e-9, "lesson: differences and hand should agree");
    fmt::print("\nAll three agree.\n");
    return 0;
}
