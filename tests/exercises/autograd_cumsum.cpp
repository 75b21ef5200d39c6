// Exercise: the op cumsum(x), along the last axis: y[n, c] = x[n, 0] + ... + x[n, c]. Each x[n, c]
// is in every sum from y[n, c] on, which says what its gradient is.
// Level 2 of 3, about 25 minutes, after autograd_square. Two hints are at the end.
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "tests/autograd/gradient_check.h"
#include "tests/exercises/exercise.h"

smoe::Variable cumsum(const smoe::Variable& x);

using namespace smoe;

TEST_CASE("cumsum: values") {
    const Tensor y = cumsum(Variable(Tensor::from({2, 3}, {1, 2, 3, 10, 20, 30}))).value();
    expect_elements("cumsum of ((1, 2, 3), (10, 20, 30))", y, {1, 3, 6, 10, 30, 60});
    CHECK(cumsum(Variable(Tensor::zeros({2, 0}))).shape() == Shape{2, 0});
}

TEST_CASE("cumsum: the gradient against differences") {
    const Op op = [](const std::vector<Variable>& in) { return add(cumsum(in[0]), in[0]); };
    CHECK(gradient_error(op, {random_tensor({3, 5}, 1)}) < gradient_tolerance);
    CHECK(gradient_error(op, {random_tensor({2, 3, 4}, 2)}) < gradient_tolerance);
}

// Hint 1: write down y for three numbers. In which of the y does x[1] occur, and what does that say
// of its gradient?
// Hint 2: dx[c] += dout[c] + dout[c + 1] + ... + dout[C - 1]. One walk from the last column to the
// first has all of these sums.
