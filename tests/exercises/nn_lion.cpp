// Exercise: the optimiser Lion (Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023),
// which moves every weight by the same length. Per parameter, with m starting at 0:
//     u = sign(beta1 m + (1 - beta1) g)      sign(0) = 0
//     value -= lr (u + weight_decay value)
//     m = beta2 m + (1 - beta2) g
// Derive from Optimizer and keep m in kept_; everything else, including saving, comes for free.
// Level 2 of 3, about 45 minutes, after nn_sign. Two hints are at the end.
#include <memory>

#include "core/tensor.h"
#include "nn/optim/optimizer.h"
#include "tests/autograd/gradient_check.h"
#include "tests/exercises/exercise.h"

std::unique_ptr<smoe::Optimizer> make_lion(const smoe::Tensor& values, const smoe::Tensor& grads,
                                           const smoe::OptimizerSettings& settings);

using namespace smoe;

namespace {

const OptimizerSettings settings{
    .lr = 0.01, .beta1 = 0.9, .beta2 = 0.95, .weight_decay = 0.1, .warmup = 3};

double sign(double x) {
    return x > 0 ? 1 : (x < 0 ? -1 : 0);
}

}  // namespace

TEST_CASE("lion: the formula, with warm-up") {
    const Tensor values = random_tensor({40000}, 1), grads = Tensor::zeros({40000});
    std::vector<double> value(values.data(), values.data() + 40000), m(40000, 0.0);
    const auto lion = make_lion(values, grads, settings);
    for (int step = 0; step < 5; ++step) {
        grads.copy_from(random_tensor({40000}, 10 + uint64_t(step)));
        grads.data()[7] = 0;
        lion->step();
        const double lr = 0.01 * std::min(1.0, (step + 1) / 3.0);
        for (size_t i = 0; i < value.size(); ++i) {
            const double g = double(grads.data()[i]);
            value[i] -= lr * (sign(0.9 * m[i] + 0.1 * g) + 0.1 * value[i]);
            m[i] = 0.95 * m[i] + 0.05 * g;
        }
    }
    expect_elements("the values after five steps", values, value, 1e-12);
}

TEST_CASE("lion: a saved state goes on as if nothing had happened") {
    const auto run = [](bool saved) {
        const Tensor values = random_tensor({100}, 1), grads = Tensor::zeros({100});
        auto lion = make_lion(values, grads, settings);
        for (uint64_t step = 0; step < 6; ++step) {
            if (saved && step == 3) {
                const Optimizer::State state = lion->state_dict();
                auto next = make_lion(values, grads, settings);
                next->load_state_dict(state, "state");
                lion = std::move(next);
            }
            grads.copy_from(random_tensor({100}, 20 + step));
            lion->step();
        }
        return values;
    };
    const Tensor on = run(false);
    expect_elements("the values of a run that was saved", run(true),
                    {on.values().begin(), on.values().end()});
}

// Hint 1: nn/optim/sgd.cpp has the same shape: a constructor that puts m into kept_, and
// update(part).
// Hint 2: u needs the old m, and m changes afterwards. part.lr and part.weight_decay are those of
// this step.
