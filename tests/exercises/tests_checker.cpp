// Exercise: your own check of gradients, without that of tests/autograd/gradient_check.h. Return
// how far the gradients that backward computes for op(inputs) are from central differences: below
// 1e-6 for right rules, above 1e-3 for each of the wrong ones below. They are the mistakes that
// people make. Mind the upstream gradient: with ones, some of them pass. Also mind that a rule must
// ADD to what is in din[i], which shows only if an input is used more than once. The inputs must
// end up as they were.
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/blas.h"
#include "tests/autograd/gradient_check.h"
#include "tests/exercises/exercise.h"

double my_gradient_error(const smoe::Op& op, const std::vector<smoe::Tensor>& inputs);

using namespace smoe;

namespace {

using Variables = std::vector<Variable>;

enum class Mistake { none, factor, overwritten, one_element, not_a_number };

// tanh, with a mistake in its rule.
Op tanh_with(Mistake mistake) {
    return [mistake](const Variables& in) {
        const Tensor y = smoe::tanh(Variable(in[0].value())).value();
        return record("tanh_with", y, {in[0]},
                      [=](const Tensor& dout, std::span<Tensor* const> din) {
                          for (int64_t i = 0; i < y.numel(); ++i) {
                              real& dx = din[0]->data()[i];
                              const real step = dout.data()[i] * (1 - y.data()[i] * y.data()[i]);
                              dx = (mistake == Mistake::overwritten ? 0 : dx) +
                                   (mistake == Mistake::factor ? real(1.01) : 1) * step;
                          }
                          real& last = din[0]->data()[y.numel() - 1];
                          last = mistake == Mistake::one_element    ? 0
                                 : mistake == Mistake::not_a_number ? real(NAN)
                                                                    : last;
                      });
    };
}

// softmax whose rule adds nothing: the sum of its results is 1, whatever goes in.
Variable softmax_without_gradient(const Variables& in) {
    return record("softmax_without_gradient", softmax(Variable(in[0].value())).value(), {in[0]},
                  [](const Tensor&, std::span<Tensor* const>) {});
}

// x (N, C) weight^T with weight (C, C), and the gradient of the weight transposed, or none at all.
Op linear_with(bool transposed) {
    return [transposed](const Variables& in) {
        const Tensor X = in[0].value(), W = in[1].value();
        const int64_t N = X.size(0), C = X.size(1);
        return record("linear_with", linear(Variable(X), Variable(W)).value(), {in[0], in[1]},
                      [=](const Tensor& dout, std::span<Tensor* const> din) {
                          gemm(Trans::no, Trans::no, N, C, C, dout.data(), C, W.data(), C, 1,
                               din[0]->data(), C);
                          if (transposed) {
                              gemm(Trans::yes, Trans::no, C, C, N, X.data(), C, dout.data(), C, 1,
                                   din[1]->data(), C);
                          }
                      });
    };
}

const std::vector<Tensor> one = {random_tensor({3, 4}, 1)};
const std::vector<Tensor> two = {random_tensor({5, 4}, 2), random_tensor({4, 4}, 3)};

}  // namespace

TEST_CASE("my_gradient_error: right rules pass") {
    CHECK(my_gradient_error(tanh_with(Mistake::none), one) < 1e-6);
    CHECK(my_gradient_error([](const Variables& in) { return softmax(in[0]); }, one) < 1e-6);
    CHECK(my_gradient_error([](const Variables& in) { return linear(in[0], in[1]); }, two) < 1e-6);
    CHECK(my_gradient_error([](const Variables& in) { return mul(in[0], in[0]); }, one) < 1e-6);
    CHECK(my_gradient_error([](const Variables& in) { return mean(in[0]); }, one) < 1e-6);
}

TEST_CASE("my_gradient_error: planted mistakes are caught") {
    CHECK(my_gradient_error(tanh_with(Mistake::factor), one) > 1e-3);
    CHECK(my_gradient_error(tanh_with(Mistake::one_element), one) > 1e-3);
    CHECK(my_gradient_error(softmax_without_gradient, one) > 1e-3);
    CHECK(my_gradient_error(linear_with(true), two) > 1e-3);
    CHECK(my_gradient_error(linear_with(false), two) > 1e-3);
    CHECK(my_gradient_error(tanh_with(Mistake::overwritten), one) > 1e-3);
    const double not_a_number = my_gradient_error(tanh_with(Mistake::not_a_number), one);
    CHECK(not_a_number > 1e-3);  // which NaN itself is not
}

TEST_CASE("my_gradient_error: the inputs are as before") {
    const std::vector<Tensor> inputs = {one[0].clone()};
    my_gradient_error(tanh_with(Mistake::none), inputs);
    CHECK(difference(inputs[0], one[0]) == 0);
}
