// Exercise: the op logistic(x) = 1 / (1 + e^-x) = e^x / (1 + e^x), with its gradient. The two forms
// are equal on paper; in a computer e^1000 is infinite, and infinite / infinite is not a number.
// Far out on either side, the right digits must come out: logistic(-700) is e^-700, not 0.
// Level 2 of 3, about 20 minutes, after autograd_square. Two hints are at the end.
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "tests/autograd/gradient_check.h"
#include "tests/exercises/exercise.h"

smoe::Variable logistic(const smoe::Variable& x);

using namespace smoe;

TEST_CASE("logistic: values, far out as well") {
    // In float, e^89 is infinite; here numbers are double, and e^710 is.
    for (const double x : {0.0, 1.0, -1.0, 20.0, -20.0, 100.0, 700.0, -700.0, 1000.0, -1000.0}) {
        const double found = double(logistic(Variable(Tensor::full({1}, real(x)))).value().item());
        const double right = x > 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
        expect_close(fmt::format("logistic({})", x), found, right, 1e-12);
        if (right > 0) {
            expect_close(fmt::format("logistic({0}) / (the right logistic({0}))", x), found / right,
                         1, 1e-9);
        }
    }
    CHECK(std::isnan(logistic(Variable(Tensor::full({1}, NAN))).value().item()));
}

TEST_CASE("logistic: the gradient, far out as well") {
    const Op op = [](const std::vector<Variable>& in) { return logistic(in[0]); };
    CHECK(gradient_error(op, {random_tensor({3, 4}, 1)}) < gradient_tolerance);
    const Variable far(Tensor::from({2}, {1000, -1000}), true);
    backward(sum(logistic(far)));
    expect_elements("the gradient of logistic at (1000, -1000)", far.grad(), {0, 0});
}

// Hint 1: e^-|x| is never infinite. What are the two forms of the first line, written with it?
// Hint 2: the derivative is y (1 - y), where y is the result; so the rule needs no e^x at all.
