// Exercise: the op cosine_similarity(a, b), the cosine of the angle between two rows:
//     y[n] = sum of a[n] b[n] / (|a[n]| |b[n]|),   |a| = sqrt(sum of a^2)
// a (N, C), b (N, C) -> (N). Each element has two ways to y: the product, and the length of its
// row. A row of zeros has no direction: y is 0, and no gradient flows. Either gradient may be
// unwanted: din[i] is null then. Shapes that are not equal are an Error that names both.
// Level 3 of 3, about 60 minutes, after autograd_elu. Two hints are at the end.
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "tests/autograd/gradient_check.h"
#include "tests/exercises/exercise.h"

smoe::Variable cosine_similarity(const smoe::Variable& a, const smoe::Variable& b);

using namespace smoe;

TEST_CASE("cosine_similarity: values") {
    const Tensor a = Tensor::from({4, 2}, {3, 0, 1, 1, -2, 5, 0, 0});
    const Tensor b = Tensor::from({4, 2}, {7, 0, 4, 0, 4, -10, 1, 2});
    const Tensor y = cosine_similarity(Variable(a), Variable(b)).value();
    REQUIRE(y.shape() == Shape{4});
    const std::vector<double> expected = {1, std::sqrt(0.5), -1, 0};
    expect_elements("cosine_similarity of four pairs of rows", y, expected, 1e-9);
    for (const Shape& shape : {Shape{4, 3}, Shape{2, 4}, Shape{2}}) {
        CHECK_THROWS_WITH_AS(cosine_similarity(Variable(a), Variable(Tensor::zeros(shape))),
                             doctest::Contains(shape.str().c_str()), Error);
    }
}

TEST_CASE("cosine_similarity: gradients against differences, and each of them alone") {
    const Op op = [](const std::vector<Variable>& in) { return cosine_similarity(in[0], in[1]); };
    const std::vector<Tensor> inputs = {random_tensor({4, 6}, 3), random_tensor({4, 6}, 4)};
    CHECK(gradient_error(op, inputs) < gradient_tolerance);
    CHECK(same_input_error(op, inputs, 0, 1) < gradient_tolerance);
    const Variable a(inputs[0], true), b(inputs[1], true);
    backward(sum(cosine_similarity(a, Variable(inputs[1]))));
    backward(sum(cosine_similarity(Variable(inputs[0]), b)));
    CHECK(a.grad().defined());
    CHECK(b.grad().defined());
    const Variable nowhere(Tensor::zeros({1, 3}), true), there(Tensor::full({1, 3}, 2), true);
    backward(sum(cosine_similarity(nowhere, there)));
    expect_elements("the gradient of a row of zeros", nowhere.grad(), {0, 0, 0});
    expect_elements("the gradient of a row that is compared with zeros", there.grad(), {0, 0, 0});
}

// Hint 1: for one row, the derivative of y with respect to a is b / (|a| |b|) - y a / |a|^2: the
// first part is the product, the second the length of a. For b, swap the two.
// Hint 2: din[0] or din[1] may be null: ask before you write. Where a length is 0, skip the row.
