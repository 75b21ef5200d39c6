// Which expert takes each row of a batch. Worked out once and handed to every block; what chooses
// the experts is the model's affair.
// Read next: feed_forward.h.
#pragma once

#include <cstdint>
#include <vector>

#include "autograd/ops.h"

namespace smoe {

// The expert of each row of a batch; empty: none, the dense network.
using Experts = std::vector<int32_t>;
constexpr int32_t no_expert = -1;  // of a single row: the dense network

struct Routing {
    Experts experts;
    ExpertGroups groups;  // the rows sorted by expert
    // (N): what the rows of a feed-forward network's output are multiplied with, so that a router
    // can learn through them. Undefined where it does not.
    Variable weights;

    static Routing dense() { return {}; }
    // Throws Error for an expert outside [0, num_experts) and for weights of another shape.
    Routing(Experts of_rows, int64_t num_experts, Variable of_outputs = {});

    bool is_dense() const { return experts.empty(); }

  private:
    Routing() = default;
};

}  // namespace smoe
