// Exercise: the op elu(x), a relu with a smooth end (Clevert et al., 2016), with its gradient:
//     y = x where x > 0, else e^x - 1
// Its derivative can be written with the result alone. Just below 0, e^x - 1 loses its digits, so
// write it another way; far above 0, e^x must not get in the way.
// Level 2 of 3, about 30 minutes, after autograd_square. Two hints are at the end.
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "tests/autograd/gradient_check.h"
#include "tests/exercises/exercise.h"

smoe::Variable elu(const smoe::Variable& x);

using namespace smoe;

TEST_CASE("elu: values, far out and close to 0 as well") {
    const Tensor x = Tensor::from({7}, {0, 1, -1, 2000, -2000, -1e-13, 1e-13});
    const Tensor y = elu(Variable(x)).value();
    expect_close("elu(0)", double(y.data()[0]), 0);
    for (int64_t i = 1; i < 7; ++i) {
        const double at = double(x.data()[i]), right = at > 0 ? at : std::expm1(at);
        expect_close(fmt::format("elu({0}) / (the right elu({0}))", at),
                     double(y.data()[i]) / right, 1, 1e-9);
    }
    CHECK(std::isnan(elu(Variable(Tensor::full({1}, NAN))).value().item()));
}

TEST_CASE("elu: the gradient against differences, also where the input is used twice") {
    const Op once = [](const std::vector<Variable>& in) { return elu(in[0]); };
    CHECK(gradient_error(once, {random_tensor({4, 5}, 1)}) < gradient_tolerance);
    const Op twice = [](const std::vector<Variable>& in) { return mul(elu(in[0]), in[0]); };
    CHECK(gradient_error(twice, {random_tensor({4, 5}, 2)}) < gradient_tolerance);
    const Variable far(Tensor::from({3}, {2000, -2000, NAN}), true);
    backward(sum(elu(far)));
    expect_close("the gradient of elu at 2000", double(far.grad().data()[0]), 1);
    expect_close("the gradient of elu at -2000", double(far.grad().data()[1]), 0);
    expect_close("the gradient of elu at NaN", double(far.grad().data()[2]), NAN);
}

// Hint 1: <cmath> has a function for e^x - 1 that keeps its digits close to 0.
// Hint 2: where x <= 0 the derivative is e^x, which is y + 1. So the rule needs to capture y alone.
// Which branch does NaN take in each of your comparisons?
