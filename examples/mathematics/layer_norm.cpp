// The numbers of layer_norm.md: three ways from an input to the output of LayerNorm, and their sum.
// Read next: attention.cpp.
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "examples/mathematics/steps.h"

using namespace smoe::mathematics;

namespace {

using Row = std::vector<double>;
constexpr double eps = 1e-5, C = 4;
const Row s = {1, 2, 4, 5}, weight = {1, 0.5, 2, 1}, bias = {0, 0.1, 0, -0.1};
const Row g = {0.3, -1, 0.5, 2};  // dL/dy

double mean(const Row& x) {
    double total = 0;
    for (const double number : x) {
        total += number / C;
    }
    return total;
}
Row times(Row a, const Row& b) {
    for (size_t c = 0; c < a.size(); ++c) {
        a[c] *= b[c];
    }
    return a;
}

struct Norm {
    double m, v, r;  // mean, variance, 1 / sqrt(v + eps)
    Row hat;         // (x - m) r

    explicit Norm(const Row& x) : m(mean(x)), hat(x) {
        for (double& number : hat) {
            number -= m;
        }
        v = mean(times(hat, hat));
        r = 1 / std::sqrt(v + eps);
        for (double& number : hat) {
            number *= r;
        }
    }
};

double loss(const Row& x, const Row& w, const Row& b) {
    const Row hat = Norm(x).hat;
    double total = 0;
    for (size_t c = 0; c < hat.size(); ++c) {
        total += g[c] * (hat[c] * w[c] + b[c]);
    }
    return total;
}

}  // namespace

int main() {
    const Norm n(s);
    fmt::print("{:24}{:9.4f}{:9.4f}{:9.4f}\n", "m, v, r", n.m, n.v, n.r);
    print("h = (s - m) r", {n.hat});

    print_gradient("dweight = g h", {times(g, n.hat)},
                   [](const Matrix& w) { return loss(s, w[0], bias); }, {weight});
    print_gradient("dbias = g", {g}, [](const Matrix& b) { return loss(s, weight, b[0]); }, {bias});

    const Row dh = times(g, weight);
    print("dh = g weight", {dh});
    Row straight, by_mean, by_variance, all;
    for (size_t c = 0; c < s.size(); ++c) {
        straight.push_back(n.r * dh[c]);
        by_mean.push_back(-n.r * mean(dh));
        by_variance.push_back(-n.r * n.hat[c] * mean(times(dh, n.hat)));
        all.push_back(straight[c] + by_mean[c] + by_variance[c]);
    }
    print("straight: r dh", {straight});
    print("by m: -r mean(dh)", {by_mean});
    print("by v: -r h mean(dh h)", {by_variance});
    print_gradient("ds, their sum", {all}, [](const Matrix& x) { return loss(x[0], weight, bias); },
                   {s});
    fmt::print("{:24}{:9.4f}{:9.4f}\n", "mean of ds, of ds h", std::abs(mean(all)),
               std::abs(mean(times(all, n.hat))));

    const smoe::Variable x(tensor({s}), true);
    const auto vector = [](const Row& row) { return smoe::Variable(tensor({row}).reshape({4})); };
    smoe::backward(smoe::layer_norm(x, vector(weight), vector(bias)), tensor({g}));
    expect_same("the library's gradient", matrix(x.grad(), 4), {all}, 1e-5);
    return 0;
}
