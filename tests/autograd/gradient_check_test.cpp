// The checker on trial: ops with planted mistakes, the ones that people make. Each must be caught
// by the check that op_test.cpp relies on, and the same op without the mistake must pass.
// Read next: engine_test.cpp.
#include "tests/autograd/gradient_check.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <sstream>
#include <string>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/blas.h"
#include "tests/autograd/op_table.h"

using namespace smoe;

namespace {

using Variables = std::vector<Variable>;

// softmax whose gradient is multiplied by `factor`.
Op softmax_with(real factor) {
    return [factor](const Variables& in) {
        const Tensor y = softmax(Variable(in[0].value())).value();
        return record("softmax_with", y, {in[0]},
                      [=](const Tensor& dout, std::span<Tensor* const> din) {
                          const int64_t C = y.cols();
                          for (int64_t i = 0; i < y.numel(); ++i) {
                              real shared = 0;
                              for (int64_t j = i / C * C; j < i / C * C + C; ++j) {
                                  shared += y.data()[j] * dout.data()[j];
                              }
                              din[0]->data()[i] += factor * y.data()[i] * (dout.data()[i] - shared);
                          }
                      });
    };
}

enum class Mistake { none, transposed, overwritten, one_element, second_input };

// x (N, I), weight (O, I) -> x weight^T, with a mistake in backward.
Op linear_with(Mistake mistake) {
    return [mistake](const Variables& in) {
        const Tensor X = in[0].value(), W = in[1].value();
        const int64_t N = X.size(0), I = X.size(1), O = W.size(0);
        const Tensor out = linear(Variable(X), Variable(W)).value();
        return record("linear_with", out, {in[0], in[1]},
                      [=](const Tensor& dout, std::span<Tensor* const> din) {
                          const real beta = mistake == Mistake::overwritten ? 0 : 1;
                          if (din[0] != nullptr) {
                              gemm(Trans::no, Trans::no, N, I, O, dout.data(), O, W.data(), I, beta,
                                   din[0]->data(), I);
                          }
                          if (din[1] != nullptr && mistake == Mistake::transposed) {
                              gemm(Trans::yes, Trans::no, I, O, N, X.data(), I, dout.data(), O,
                                   beta, din[1]->data(), O);
                          } else if (din[1] != nullptr && mistake != Mistake::second_input) {
                              gemm(Trans::yes, Trans::no, O, I, N, dout.data(), O, X.data(), I,
                                   beta, din[1]->data(), I);
                          }
                          if (mistake == Mistake::one_element) {
                              din[0]->data()[N * I - 1] = 0;
                          }
                      });
    };
}

const std::vector<Tensor> square = {random_tensor({4, 4}, 1), random_tensor({4, 4}, 2)};
const std::vector<Tensor> rows = {random_tensor({3, 5}, 3)};

}  // namespace

TEST_CASE("checker: the correct rules pass") {
    CHECK(gradient_error(softmax_with(1), rows) < gradient_tolerance);
    CHECK(directional_error(softmax_with(1), rows) < gradient_tolerance);
    CHECK(reuse_error(softmax_with(1), rows) < gradient_tolerance);
    CHECK(gradient_error(linear_with(Mistake::none), square) < gradient_tolerance);
    CHECK(directional_error(linear_with(Mistake::none), square) < gradient_tolerance);
    CHECK(reuse_error(linear_with(Mistake::none), square) < gradient_tolerance);
    CHECK(same_input_error(linear_with(Mistake::none), square, 0, 1) < gradient_tolerance);
}

TEST_CASE("checker: a gradient that is wrong by a thousandth is caught") {
    // A float build cannot see a thousandth of a gradient below 1; a twentieth it does.
    const real factor = sizeof(real) == 8 ? real(1.001) : real(1.05);
    CHECK(gradient_error(softmax_with(factor), rows) > 10 * gradient_tolerance);
    CHECK(directional_error(softmax_with(factor), rows) > 10 * gradient_tolerance);
}

TEST_CASE("checker: a gradient of zero is caught, and upstream ones would miss it") {
    CHECK(gradient_error(softmax_with(0), rows) > 10 * gradient_tolerance);
    CHECK(directional_error(softmax_with(0), rows) > 10 * gradient_tolerance);
    // The reason for random upstream gradients: the sum of a softmax is constant.
    CHECK(gradient_error(softmax_with(0), rows, Upstream::ones) < gradient_tolerance);
}

TEST_CASE("checker: a transposed weight gradient is caught, also where the shapes fit") {
    CHECK(gradient_error(linear_with(Mistake::transposed), square) > 10 * gradient_tolerance);
    CHECK(directional_error(linear_with(Mistake::transposed), square) > 10 * gradient_tolerance);
}

TEST_CASE("checker: a single wrong element and a forgotten input are caught") {
    CHECK(gradient_error(linear_with(Mistake::one_element), square) > 10 * gradient_tolerance);
    CHECK(gradient_error(linear_with(Mistake::second_input), square) > 10 * gradient_tolerance);
}

TEST_CASE("checker: an error names the input, the element and both numbers") {
    const GradientError element = gradient_error(linear_with(Mistake::one_element), square);
    CHECK(element.input == 0);
    CHECK(element.element == 15);
    CHECK(element.rule == 0);
    std::ostringstream text;
    text << element;
    CHECK(text.str().find(
              "(input 0, element 15 = (3, 3) of (4, 4): the rule gives 0, differences give ") !=
          std::string::npos);
    CHECK(gradient_error(linear_with(Mistake::second_input), square).input == 1);
}

TEST_CASE(
    "checker: overwriting instead of adding passes differences and is caught by using twice") {
    const Op overwriting = linear_with(Mistake::overwritten);
    CHECK(gradient_error(overwriting, square) < gradient_tolerance);
    CHECK(reuse_error(overwriting, square) > 0.1);
    CHECK(same_input_error(overwriting, square, 0, 1) > 0.1);
}

TEST_CASE("checker: NaN, another shape and a missing tensor are infinite differences") {
    const double infinity = std::numeric_limits<double>::infinity();
    const Tensor a = Tensor::from({2}, {1, 2});
    CHECK(difference(a, a) == 0);
    CHECK(difference(Tensor::from({2}, {1, real(2.5)}), a) == 0.25);
    CHECK(difference(Tensor::from({2}, {1, std::numeric_limits<real>::quiet_NaN()}), a) ==
          infinity);
    CHECK(difference(a.reshape({1, 2}), a) == infinity);
    CHECK(difference(Tensor(), a) == infinity);
    const Op not_a_number = [](const Variables& in) { return scale(in[0], std::nanf("")); };
    CHECK(gradient_error(not_a_number, rows) == infinity);
    CHECK(directional_error(not_a_number, rows) == infinity);
}
