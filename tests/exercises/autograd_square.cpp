// Exercise: your first op, square(x) = x^2, element by element, with its gradient: dx += 2 x dout.
// Level 1 of 3, about 15 minutes. Two hints are at the end.
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "tests/autograd/gradient_check.h"
#include "tests/exercises/exercise.h"

smoe::Variable square(const smoe::Variable& x);

using namespace smoe;

TEST_CASE("square: values") {
    const Tensor x = Tensor::from({2, 3}, {0, 1, -1, 3, -4, real(0.5)});
    const Tensor y = square(Variable(x)).value();
    CHECK(y.shape() == x.shape());
    expect_elements("square of (0, 1, -1, 3, -4, 0.5)", y, {0, 1, 1, 9, 16, 0.25});
    expect_elements("x after square(x)", x, {0, 1, -1, 3, -4, 0.5});
}

TEST_CASE("square: the gradient, also where the input is used twice") {
    const Op once = [](const std::vector<Variable>& in) { return square(in[0]); };
    CHECK(gradient_error(once, {random_tensor({3, 4}, 1)}) < gradient_tolerance);
    const Op twice = [](const std::vector<Variable>& in) { return mul(square(in[0]), in[0]); };
    CHECK(gradient_error(twice, {random_tensor({3, 4}, 2)}) < gradient_tolerance);
}

// Hint 1: examples/04_add_an_op.cpp has an op of the same shape; record() takes the op's name, its
// result, its inputs and its rule.
// Hint 2: the rule captures the tensor x.value(), and adds to din[0]: with = in place of +=, the
// second half of the last test fails.
