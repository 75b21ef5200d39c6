// Which expert takes each row of a batch. It is worked out once and handed to every block. It
// leaves the choice of experts to the model.
// Read next: feed_forward.h.
#pragma once

#include <cstdint>
#include <vector>

#include "autograd/ops.h"

namespace smoe {

// The expert of each row of a batch; empty for the dense network, which has none.
using Experts = std::vector<int32_t>;
constexpr int32_t no_expert = -1;  // of a single row: the dense network

struct Routing {
    Experts experts;
    ExpertGroups groups;  // the rows sorted by expert
    // (N): factors for the rows of a feed-forward network's output, through which a router can
    // learn. Undefined if it does not learn that way.
    Variable weights;

    static Routing dense() { return {}; }
    // Throws Error for an expert outside [0, num_experts) and for weights of a different shape.
    Routing(Experts of_rows, int64_t num_experts, Variable of_outputs = {});

    bool is_dense() const { return experts.empty(); }

  private:
    Routing() = default;
};

}  // namespace smoe
