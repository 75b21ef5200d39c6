// Lesson 3: one derivative, found three ways: by hand, by the tape, by differences.
// The function is the loss of one neuron, f = (tanh(w x) - t)^2, differentiated with respect to its
// weight w.
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
        "By differences, (f(w + h) - f(w - h)) / 2h. The error falls as h^2, until rounding\n"
        "takes over:\n");
    double best = 1;
    for (double h = 1e-1; h > 1e-12; h /= 10) {
        const double by_difference = (loss(at + h) - loss(at - h)) / (2 * h);
        fmt::print("    h = {:.0e}   {:.10f}   error {:.1e}\n", h, by_difference,
                   std::abs(by_difference - by_hand));
        best = std::min(best, std::abs(by_difference - by_hand));
    }
    check(std::abs(by_tape - by_hand) < 1e-6, "lesson: tape and hand should agree");
    check(best < 1e-9, "lesson: differences and hand should agree");
    fmt::print("\nAll three agree.\n");
    return 0;
}
