// Functions of one number that need only a formula and its derivative: exp, log, sqrt, sigmoid,
// silu, gelu. Each keeps only what its rule needs: the input or the result.
// Read next: reduce.cpp.
#include <cmath>
#include <numbers>

#include "autograd/ops.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/inputs.h"

namespace smoe {
namespace {

enum class Keep { input, result };

// out = f(x), dx = rule(dout, kept)
template <class Function, class Rule>
Variable unary(const char* name, const Variable& x, Keep keep, Function f, Rule rule) {
    check_defined(name, x);
    const Tensor X = x.value(), out = Tensor::empty(x.shape());
    for_each(out.numel(), [f, x = X.data(), y = out.data()](int64_t i) { y[i] = f(x[i]); });
    return record(name, out, {x},
                  [rule, kept = keep == Keep::input ? X : out](const Tensor& dout,
                                                               std::span<Tensor* const> din) {
                      for_each(dout.numel(),
                               [rule, dx = din[0]->data(), g = dout.data(),
                                k = kept.data()](int64_t i) { dx[i] += rule(g[i], k[i]); });
                  });
}

// 1 / (1 + e^-x), from e^-|x|, which cannot overflow
real logistic(real x) {
    const real e = fast_exp(-std::abs(x));
    return (x < 0 ? e : 1) / (1 + e);
}

// erfc(z) for z >= 0 with a relative error below 1.2e-7 before rounding: a polynomial that Press et
// al. fitted (Numerical Recipes, section 6.2), since the library's takes a call for each number.
// The double build uses the library's.
[[maybe_unused]] float erfc_of_positive(float z) {
    const float t = 1 / (1 + z / 2);
    float power = 0.17087277f;
    power = power * t - 0.82215223f;
    power = power * t + 1.48851587f;
    power = power * t - 1.13520398f;
    power = power * t + 0.27886807f;
    power = power * t - 0.18628806f;
    power = power * t + 0.09678418f;
    power = power * t + 0.37409196f;
    power = power * t + 1.00002368f;
    power = power * t - 1.26551223f;
    return t * fast_exp(power - z * z);
}
[[maybe_unused]] double erfc_of_positive(double z) {
    return std::erfc(z);
}

// The share of a normal distribution below x. Far below 0, it keeps the digits that
// 1 + erf(x / sqrt(2)) would lose.
real normal_cdf(real x) {
    const real tail = erfc_of_positive(std::abs(x) / std::numbers::sqrt2_v<real>) / 2;
    return x > 0 ? 1 - tail : tail;
}

real normal_density(real x) {
    return fast_exp(-x * x / 2) * std::numbers::inv_sqrtpi_v<real> / std::numbers::sqrt2_v<real>;
}

}  // namespace

Variable exp(const Variable& x) {
    // This uses the library's exp, which becomes infinite beyond what a number can hold; fast_exp
    // does not.
    return unary(
        "exp", x, Keep::result, [](real a) { return std::exp(a); },
        [](real g, real y) { return g * y; });
}

Variable log(const Variable& x) {
    return unary(
        "log", x, Keep::input, [](real a) { return std::log(a); },
        [](real g, real a) { return g / a; });
}

Variable sqrt(const Variable& x) {
    return unary(
        "sqrt", x, Keep::result, [](real a) { return std::sqrt(a); },
        [](real g, real y) { return g / (2 * y); });
}

Variable sigmoid(const Variable& x) {
    return unary(
        "sigmoid", x, Keep::result, [](real a) { return logistic(a); },
        [](real g, real y) { return g * y * (1 - y); });
}

Variable silu(const Variable& x) {
    return unary(
        "silu", x, Keep::input, [](real a) { return a * logistic(a); },
        [](real g, real a) {  // dx = dout * s (1 + x (1 - s)) with s = sigmoid(x)
            const real s = logistic(a);
            return g * s * (1 + a * (1 - s));
        });
}

Variable gelu(const Variable& x) {
    return unary(
        "gelu", x, Keep::input, [](real a) { return a * normal_cdf(a); },
        [](real g, real a) {  // dx = dout * (P(x) + x p(x))
            return g * (normal_cdf(a) + a * normal_density(a));
        });
}

}  // namespace smoe
