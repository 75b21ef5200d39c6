// One solution of the exercise tests_checker.cpp; write your own first.
// Read next: tests/exercises/tests_checker.cpp, its test.
#include <algorithm>
#include <cmath>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/rng.h"
#include "tests/autograd/gradient_check.h"

double my_gradient_error(const smoe::Op& op, const std::vector<smoe::Tensor>& inputs) {
    using namespace smoe;
    // Recorded twice on the same leaves, so that a rule that overwrites loses one of two shares.
    const auto twice = [&op](const std::vector<Variable>& in) { return add(op(in), op(in)); };
    std::vector<Variable> leaves;
    for (const Tensor& input : inputs) {
        leaves.emplace_back(input.clone(), true);
    }
    const Variable result = twice(leaves);
    const Tensor upstream = Tensor::empty(result.shape());
    Rng rng(1);
    for (real& value : upstream.values()) {
        value = real(rng.normal());
    }
    backward(result, upstream);
    const auto weighted = [&] {  // sum of upstream * result
        const NoGrad no_grad;
        return double(sum(mul(twice(leaves), Variable(upstream))).value().item());
    };
    double worst = 0;
    for (const Variable& leaf : leaves) {
        for (int64_t i = 0; i < leaf.shape().numel(); ++i) {
            real& x = leaf.value().data()[i];
            const real here = x, h = real(1e-5);
            x = here + h;
            const double above = weighted();
            x = here - h;
            const double below = weighted();
            x = here;
            const double difference = (above - below) / (2 * double(h));
            const double error = std::abs(double(leaf.grad().data()[i]) - difference);
            worst = std::isnan(error) ? HUGE_VAL : std::max(worst, error);
        }
    }
    return worst;
}
