// Exercise: your own check of gradients, without that of tests/autograd/gradient_check.h. Return
// how far the gradients that backward computes for op(inputs) are from central differences: below
// 1e-6 for right rules, above 1e-3 for each of the wrong ones below. They are the mistakes that
// people make. Mind the upstream gradient: with ones, some of them pass. Also mind that a rule must
// ADD to what is in din[i], which shows only if an input is used more than once. The inputs must
// end up as they were.
// Level 3 of 3, about 60 minutes, after tests_slope. Two hints are at the end.
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
    const auto passes = [](const char* name, const Op& op, const std::vector<Tensor>& inputs) {
        const double found = my_gradient_error(op, inputs);
        CHECK_MESSAGE(found < 1e-6, name << ": the error should be below 1e-6, found " << found);
    };
    passes("tanh", tanh_with(Mistake::none), one);
    passes(
        "softmax", [](const Variables& in) { return softmax(in[0]); }, one);
    passes(
        "linear", [](const Variables& in) { return linear(in[0], in[1]); }, two);
    passes(
        "x * x", [](const Variables& in) { return mul(in[0], in[0]); }, one);
    passes(
        "mean", [](const Variables& in) { return mean(in[0]); }, one);
}

TEST_CASE("my_gradient_error: planted mistakes are caught") {
    const auto caught = [](const char* mistake, const Op& op, const std::vector<Tensor>& inputs) {
        const double found = my_gradient_error(op, inputs);  // NaN is not above 1e-3
        CHECK_MESSAGE(found > 1e-3, mistake << ": the error should be above 1e-3, found " << found);
    };
    caught("tanh, 1 % too large", tanh_with(Mistake::factor), one);
    caught("tanh, the last element is 0", tanh_with(Mistake::one_element), one);
    caught("softmax without any gradient", softmax_without_gradient, one);
    caught("linear, dW transposed", linear_with(true), two);
    caught("linear without dW", linear_with(false), two);
    caught("tanh, assigned instead of added", tanh_with(Mistake::overwritten), one);
    caught("tanh, an element is NaN", tanh_with(Mistake::not_a_number), one);
}

TEST_CASE("my_gradient_error: the inputs are as before") {
    const std::vector<Tensor> inputs = {one[0].clone()};
    my_gradient_error(tanh_with(Mistake::none), inputs);
    CHECK(difference(inputs[0], one[0]) == 0);
}

// Hint 1: make the scalar sum of v * op(inputs) with random v of the shape of the result;
// backward(result, v) gives its gradients, moving one element by +-1e-5 gives the differences.
// Hint 2: record the op twice on the same leaves and add both results: a rule that assigns loses
// one of the two shares. std::max(worst, NaN) is worst: ask for NaN by itself.
