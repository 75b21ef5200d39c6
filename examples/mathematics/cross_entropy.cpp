// The numbers of cross_entropy.md: softmax, its loss, and why their gradient is p - y.
// Read next: layer_norm.cpp.
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "examples/mathematics/steps.h"

using namespace smoe::mathematics;

namespace {

using Row = std::vector<double>;
constexpr size_t target = 1;
const Row z = {2, 1, -0.5};  // logits

Row softmax(const Row& logits) {
    Row p;
    double total = 0;
    for (const double logit : logits) {
        p.push_back(std::exp(logit));
        total += p.back();
    }
    for (double& one : p) {
        one /= total;
    }
    return p;
}

double loss(const Matrix& logits) {
    return -std::log(softmax(logits[0])[target]);
}

}  // namespace

int main() {
    const Row p = softmax(z);
    print("p = softmax(z)", {p});
    fmt::print("{:24}{:9.4f}\n", "L = -log p[1]", loss({z}));

    const double outer = -1 / p[target];
    fmt::print("{:24}{:9.4f}\n", "dL/dp[1] = -1 / p[1]", outer);
    Row inner, chained, rule;
    for (size_t j = 0; j < z.size(); ++j) {
        const double y = j == target ? 1 : 0;
        inner.push_back(p[target] * (y - p[j]));
        chained.push_back(outer * inner[j]);
        rule.push_back(p[j] - y);
    }
    print_gradient("dp[1]/dz", {inner}, [](const Matrix& x) { return softmax(x[0])[target]; }, {z});
    print_gradient("their product", {chained}, loss, {z});
    print_gradient("p - y", {rule}, loss, {z});
    print("its sum", {{rule[0] + rule[1] + rule[2]}});

    Row shifted = z;
    for (double& logit : shifted) {
        logit += 100;
    }
    print("softmax(z + 100)", {softmax(shifted)});
    expect_same("softmax(z + 100)", {softmax(shifted)}, {p}, 1e-12);

    const smoe::Variable logits(tensor({z}), true);
    smoe::backward(smoe::sum(smoe::cross_entropy(logits, {int32_t(target)})));
    expect_same("the library's gradient", matrix(logits.grad(), 3), {rule}, 1e-6);
    return 0;
}
