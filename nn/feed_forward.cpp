// FeedForward: which form computes the network, and what the choice costs. The layers hold the
// parameters; only the composed form calls their forward.
// Read next: autograd/ops/feed_forward.cpp.
#include "nn/feed_forward.h"

#include <algorithm>

#include "autograd/ops.h"

namespace smoe {

FeedForward::FeedForward(const Scope& scope, int64_t width, int64_t hidden, const MaskTables& masks,
                         Rng& rng, FeedForwardForm form)
    : Module(scope),
      lin_1({this, "lin_1"}, width, hidden, masks.hidden, rng),
      lin_2({this, "lin_2"}, hidden, width, masks.output, rng),
      form_(form) {}

Variable FeedForward::forward(const Variable& x, const Routing& routing) const {
    if (form_ == FeedForwardForm::composed) {
        return lin_2.forward(relu(lin_1.forward(x, routing.experts)), routing.experts);
    }
    const FeedForwardWeights weights{lin_1.linear.weight, *lin_1.linear.bias, lin_2.linear.weight,
                                     *lin_2.linear.bias};
    if (routing.experts.empty() || (lin_1.all_kept() && lin_2.all_kept())) {
        return feed_forward(x, weights);
    }
    const ExpertMasks masks{lin_1.masks(), lin_2.masks()};
    const bool sparse = form_ == FeedForwardForm::sparse ||
                        (form_ == FeedForwardForm::automatic && sparse_pays(masks, routing.groups));
    return sparse ? sparse_feed_forward(x, weights, masks, routing.groups)
                  : feed_forward(x, weights, masks, routing.experts);
}

bool sparse_pays(const ExpertMasks& masks, const ExpertGroups& groups) {
    // Copying an expert's weights together, and adding up its gradients, costs as much as
    // multiplying about so many more rows.
    constexpr double copying = 32;
    const double C = double(masks.output.size(1)), F = double(masks.hidden.size(1));
    const auto kept = [](const Tensor& table, size_t expert) {
        const real* const row = table.data() + int64_t(expert) * table.size(1);
        return double(std::count_if(row, row + table.size(1), [](real g) { return g != 0; }));
    };
    double cost = 0;
    for (size_t e = 0; e + 1 < groups.begin.size(); ++e) {
        const double rows = double(groups.begin[e + 1] - groups.begin[e]);
        if (rows > 0) {
            cost += (rows + copying) * kept(masks.hidden, e) * (C + kept(masks.output, e));
        }
    }
    return cost < double(groups.rows.size()) * 2 * F * C;
}

}  // namespace smoe
