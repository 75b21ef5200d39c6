// Exercise: the op rms_norm(x, weight), layer_norm's younger sister: along the last axis
//     y = x / sqrt(mean(x^2) + eps) * weight,   eps = 1e-5   (Zhang and Sennrich, 2019)
// x (N, C), weight (C). Either gradient may be unwanted: din[i] is null then. Shapes that do not
// fit are an Error that names both.
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "tests/autograd/gradient_check.h"
#include "tests/exercises/exercise.h"

smoe::Variable rms_norm(const smoe::Variable& x, const smoe::Variable& weight);

using namespace smoe;

TEST_CASE("rms_norm: values") {
    const Tensor x = random_tensor({3, 8}, 1), weight = random_tensor({8}, 2);
    const Tensor y = rms_norm(Variable(x), Variable(weight)).value();
    for (int64_t n = 0; n < 3; ++n) {
        double square = 0;
        for (int64_t c = 0; c < 8; ++c) {
            square += double(x.data()[n * 8 + c]) * x.data()[n * 8 + c] / 8;
        }
        for (int64_t c = 0; c < 8; ++c) {
            CHECK(
                double(y.data()[n * 8 + c]) ==
                doctest::Approx(x.data()[n * 8 + c] / std::sqrt(square + 1e-5) * weight.data()[c]));
        }
    }
    CHECK_THROWS_WITH_AS(rms_norm(Variable(Tensor::zeros({3, 8})), Variable(Tensor::zeros({7}))),
                         doctest::Contains("(7)"), Error);
}

TEST_CASE("rms_norm: gradients against differences, and each of them alone") {
    const Op op = [](const std::vector<Variable>& in) { return rms_norm(in[0], in[1]); };
    const std::vector<Tensor> inputs = {random_tensor({4, 6}, 3), random_tensor({6}, 4)};
    CHECK(gradient_error(op, inputs) < gradient_tolerance);
    const Variable x(inputs[0], true), weight(inputs[1], true);
    backward(sum(rms_norm(x, Variable(inputs[1]))));
    backward(sum(rms_norm(Variable(inputs[0]), weight)));
    CHECK(x.grad().defined());
    CHECK(weight.grad().defined());
}
