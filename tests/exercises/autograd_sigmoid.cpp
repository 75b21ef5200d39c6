// Exercise: the op sigmoid(x) = 1 / (1 + e^-x) with its gradient. Its derivative can be written
// with the result alone. Write it so that e^x cannot overflow.
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "tests/autograd/gradient_check.h"
#include "tests/exercises/exercise.h"

smoe::Variable sigmoid(const smoe::Variable& x);

using namespace smoe;

TEST_CASE("sigmoid: values, far out as well") {
    const Tensor x = Tensor::from({5}, {0, 1, -1, 200, -200});
    const Tensor y = sigmoid(Variable(x)).value();
    for (int64_t i = 0; i < 5; ++i) {
        CHECK(double(y.data()[i]) == doctest::Approx(1 / (1 + std::exp(-double(x.data()[i])))));
    }
    CHECK(y.data()[4] >= 0);
    CHECK(std::isnan(sigmoid(Variable(Tensor::full({1}, NAN))).value().item()));
}

TEST_CASE("sigmoid: the gradient against differences, also where the input is used twice") {
    const Op once = [](const std::vector<Variable>& in) { return sigmoid(in[0]); };
    CHECK(gradient_error(once, {random_tensor({4, 5}, 1)}) < gradient_tolerance);
    const Op twice = [](const std::vector<Variable>& in) { return mul(sigmoid(in[0]), in[0]); };
    CHECK(gradient_error(twice, {random_tensor({4, 5}, 2)}) < gradient_tolerance);
    const Variable far(Tensor::from({2}, {200, -200}), true);
    backward(sum(sigmoid(far)));
    CHECK(std::isfinite(far.grad().data()[0]));
    CHECK(std::isfinite(far.grad().data()[1]));
}
