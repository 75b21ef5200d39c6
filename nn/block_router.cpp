// What all routers inside a model do alike.
// Read next: gate.cpp.
#include "nn/block_router.h"

#include <algorithm>

namespace smoe {

Routing BlockRouter::route(const Variable& x, const Sequences& sequences, int64_t block,
                           const ExpertHook& hook) const {
    Choice choice = choose(x, sequences);
    const Variable& scores = choice.scores;
    if (hook) {
        hook(block, scores.defined() ? scores.value() : Tensor(), choice.experts);
    }
    const Variable weights = scores.defined() ? pick(scores, choice.experts) : Variable();
    return Routing(std::move(choice.experts), num_experts_, weights);
}

StepRows BlockRouter::step(StepRows rows, const real* x, StepMemory& memory) const {
    const size_t M = size_t(rows.size());
    const std::span<int32_t> experts(memory.experts.data(), M);
    const std::span<real> weights(memory.weights.data(), M);
    std::ranges::copy(rows.experts, experts.begin());
    const bool weighted = choose_step(rows, x, memory, experts, weights);
    rows.experts = experts;
    if (weighted) {
        rows.weights = weights;
    }
    return rows;
}

}  // namespace smoe
