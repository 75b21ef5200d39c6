// Exercise: cross-entropy with label smoothing (Szegedy et al., 2016). The target gets 1 - s of the
// probability, and all V tokens, the target among them, share the rest:
//     loss[n] = sum over v of t[v] * -log softmax(logits)[n, v],   t = (1 - s) one_hot + s / V
// Compose it from existing ops, or write your own op.
// Level 2 of 3, about 30 minutes. Two hints are at the end.
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "tests/autograd/gradient_check.h"
#include "tests/exercises/exercise.h"

smoe::Variable smoothed_cross_entropy(const smoe::Variable& logits,
                                      const std::vector<int32_t>& targets, smoe::real smoothing);

using namespace smoe;

TEST_CASE("smoothed_cross_entropy: without smoothing it is cross_entropy") {
    const Variable logits(random_tensor({3, 5}, 1));
    const Tensor plain = cross_entropy(logits, {0, 4, 2}).value();
    expect_elements("the loss without smoothing",
                    smoothed_cross_entropy(logits, {0, 4, 2}, 0).value(),
                    {plain.values().begin(), plain.values().end()}, 1e-12);
}

TEST_CASE("smoothed_cross_entropy: values and gradients") {
    const Tensor logits = random_tensor({2, 4}, 2);
    const Tensor losses = smoothed_cross_entropy(Variable(logits), {1, 3}, real(0.2)).value();
    REQUIRE(losses.shape() == Shape{2});
    for (int64_t n = 0; n < 2; ++n) {
        double total = 0, expected = 0;
        for (int64_t v = 0; v < 4; ++v) {
            total += std::exp(double(logits.data()[n * 4 + v]));
        }
        for (int64_t v = 0; v < 4; ++v) {
            const double t = (v == (n == 0 ? 1 : 3) ? 0.8 : 0) + 0.2 / 4;
            expected += t * (std::log(total) - double(logits.data()[n * 4 + v]));
        }
        expect_close(fmt::format("the loss of row {} with smoothing 0.2", n),
                     double(losses.data()[n]), expected, 1e-9);
    }
    const Op op = [](const std::vector<Variable>& in) {
        return smoothed_cross_entropy(in[0], {1, 3, 0}, real(0.1));
    };
    CHECK(gradient_error(op, {random_tensor({3, 6}, 3)}) < gradient_tolerance);
}

// Hint 1: the loss is a mean of cross-entropies: with the true target, and with each of the V
// tokens as a target.
// Hint 2: that is V calls of cross_entropy, which is fine for a first version. Better:
// log(softmax(logits)), times a constant matrix t, summed along the last dim.
