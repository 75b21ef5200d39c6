// What is common to all kinds of feed-forward networks: the weights of rows, and the list of kinds.
// Read next: masked_feed_forward.cpp.
#include "nn/feed_forward.h"

#include "core/check.h"
#include "core/threads.h"
#include "nn/masked_feed_forward.h"

namespace smoe {

Variable FeedForward::forward(const Variable& x, const Routing& routing) const {
    const Variable y = compute(x, routing);
    return routing.weights.defined() ? scale_rows(y, routing.weights) : y;
}

StepParts FeedForward::step(const StepRows& rows, const real* x,
                            const std::vector<RowMatrix>& step_weights, StepMemory& memory) const {
    const int64_t M = rows.size(), C = sizes_.width, parts = step_needs(M).parts;
    parallel_chunks(parts, [&](int64_t part) {
        real* const y = memory.parts.data() + part * M * C;
        step_part(part, rows, x, step_weights, memory, y);
        for (int64_t i = 0; !rows.weights.empty() && i < M * C; ++i) {
            y[i] *= rows.weights[size_t(i / C)];
        }
    });
    return {memory.parts.data(), parts};
}

double FeedForward::step_cost(int32_t expert) const {
    double sum = 0;
    for (const ProductCost& product : costs(expert)) {
        sum += product.active;
    }
    return sum;
}

double FeedForward::active_parameters(int32_t expert) const {
    double masked = 0;  // weights, one for each multiply-add
    for (const ProductCost& product : costs(expert)) {
        masked += product.total - product.active;
    }
    return double(parameter_count()) - masked;
}

Registry<FeedForwardKind>& feed_forward_kinds() {
    static Registry<FeedForwardKind> kinds(
        "feed-forward network",
        {
            {"masked", MaskedFeedForward::kind(FeedForwardForm::automatic)},
            {"masked-composed", MaskedFeedForward::kind(FeedForwardForm::composed)},
            {"masked-fused", MaskedFeedForward::kind(FeedForwardForm::fused)},
            {"masked-sparse", MaskedFeedForward::kind(FeedForwardForm::sparse)},
            {"masked-blocks", MaskedFeedForward::kind(FeedForwardForm::blocks)},
        });
    return kinds;
}

std::unique_ptr<FeedForward> make_feed_forward(const std::string& name, const Scope& scope,
                                               const FeedForwardSizes& sizes,
                                               const MaskTables& masks, Rng& init) {
    const FeedForwardKind& kind = feed_forward_kinds().find(name);
    std::unique_ptr<FeedForward> made = kind.make(scope, sizes, masks, init);
    std::map<std::string, Tensor> state = made->state_dict();
    int64_t trained = 0;
    for (const SavedTensor& tensor : kind.saves(sizes)) {
        const auto found = state.find(tensor.name);
        check(found != state.end() && found->second.shape() == tensor.shape,
              "the feed-forward network '{}' should save '{}' of shape {}, it has {}", name,
              tensor.name, tensor.shape.str(),
              found == state.end() ? "none" : found->second.shape().str());
        trained += tensor.trained ? tensor.shape.numel() : 0;
        state.erase(found);
    }
    check(state.empty(), "the feed-forward network '{}' saves '{}', which its kind does not list",
          name, state.empty() ? "" : state.begin()->first);
    check(trained == made->parameter_count(),
          "the feed-forward network '{}' has {} trained numbers, its kind says {}", name,
          made->parameter_count(), trained);
    return made;
}

}  // namespace smoe
