// One network with the masks of a partition against K separate networks, which is what a Switch
// layer is made of: the same numbers, the same gradients. So comparing masks with separate experts
// is comparing two tables.
// Read next: step_test.cpp.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "nn/masked_feed_forward.h"
#include "tests/autograd/gradient_check.h"

namespace smoe {
namespace {

constexpr double tolerance = sizeof(real) == 8 ? 1e-12 : 1e-4;
constexpr int64_t N = 200, C = 24, F = 320, K = 4, A = F / K;

// A network of A hidden neurons, y = factor relu(x w1^T + b1) w2^T + b2. The output bias is shared
// by all of them.
struct Separate {
    Linear lin_1, lin_2;

    explicit Separate(Rng& rng)
        : lin_1(Scope{}, C, A, true, rng), lin_2(Scope{}, A, C, false, rng) {}

    Variable forward(const Variable& x, const Variable& bias, real factor) const {
        return linear(scale(relu(lin_1.forward(x)), factor), lin_2.weight, bias);
    }
};

Experts random_experts() {
    Rng rng(2);
    Experts experts(static_cast<size_t>(N));
    for (int32_t& expert : experts) {
        expert = int32_t(rng.below(uint64_t(K)));
    }
    return experts;
}

// What a computation came to: y, dx, dw1, db1, dw2, db2.
using Outcome = std::vector<Tensor>;

Outcome of_masks(MaskedFeedForward& ffn, const Experts& experts) {
    const Variable x(random_tensor({N, C}, 7), true);
    const Variable y = ffn.forward(x, Routing(experts, K));
    backward(y, random_tensor({N, C}, 8));
    Outcome outcome = {y.value(), x.grad()};
    for (const Variable* parameter : ffn.parameters()) {
        outcome.push_back(parameter->grad());
    }
    return outcome;
}

// The same from separate networks that take their weights from `ffn`. Each sees only its rows.
Outcome of_separate(const MaskedFeedForward& ffn, const Experts& experts, real factor) {
    const Variable x(random_tensor({N, C}, 7), true);
    const Variable bias(ffn.lin_2.linear.bias->value().clone(), true);
    const Tensor upstream = random_tensor({N, C}, 8), y = Tensor::zeros({N, C});
    const Variable weight_2(ffn.lin_2.linear.weight.value());
    std::vector<Variable> dw1, db1, dw2;
    for (int32_t e = 0; e < K; ++e) {
        Rng rng(1);
        const Separate network(rng);
        network.lin_1.weight.value().copy_from(ffn.lin_1.linear.weight.value().narrow(e * A, A));
        network.lin_1.bias->value().copy_from(ffn.lin_1.linear.bias->value().narrow(e * A, A));
        network.lin_2.weight.value().copy_from(narrow(weight_2, 1, e * A, A).value());
        std::vector<int32_t> rows;
        for (int32_t n = 0; n < N; ++n) {
            if (experts[size_t(n)] == e) {
                rows.push_back(n);
            }
        }
        const Variable out = network.forward(index_select(x, 0, rows), bias, factor);
        backward(out, index_select(Variable(upstream), 0, rows).value());
        for (size_t i = 0; i < rows.size(); ++i) {
            y.narrow(rows[i], 1).copy_from(out.value().narrow(int64_t(i), 1));
        }
        dw1.emplace_back(network.lin_1.weight.grad());
        db1.emplace_back(network.lin_1.bias->grad());
        dw2.emplace_back(network.lin_2.weight.grad());
    }
    return {y,          x.grad(), cat(dw1, 0).value(), cat(db1, 0).value(), cat(dw2, 1).value(),
            bias.grad()};
}

}  // namespace

TEST_CASE("partition: one network of disjoint masks is K separate networks") {
    const Experts experts = random_experts();
    MaskTables masks = draw_mask_tables("partition", {.num_experts = K, .rate = 0.75},
                                        MaskWhere::hidden, C, F, Rng(1), Rng(2));
    const std::vector<std::pair<MaskScale, double>> scales = {
        {MaskScale::one, 1}, {MaskScale::root, std::sqrt(double(K))}, {MaskScale::inverse, K}};
    for (const auto& row : scales) {
        masks.scale = row.first;
        const double factor = row.second;
        for (const FeedForwardForm form : {FeedForwardForm::composed, FeedForwardForm::fused,
                                           FeedForwardForm::sparse, FeedForwardForm::blocks}) {
            CAPTURE(factor);
            CAPTURE(int(form));
            Rng rng(3);
            MaskedFeedForward ffn(Scope{}, {C, F, K}, masks, rng, form);
            const Outcome one = of_masks(ffn, experts);
            const Outcome separate = of_separate(ffn, experts, real(factor));
            REQUIRE(one.size() == separate.size());
            for (size_t i = 0; i < one.size(); ++i) {
                CAPTURE(i);
                CHECK(difference(one[i], separate[i]) < tolerance);
            }
        }
    }
}

}  // namespace smoe
