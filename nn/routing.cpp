// Checks of a routing, and the sort that all layers share.
// Read next: feed_forward.cpp.
#include "nn/routing.h"

#include "core/check.h"

namespace smoe {

Routing::Routing(Experts of_rows, int64_t num_experts, Variable of_outputs)
    : experts(std::move(of_rows)), groups(experts, num_experts), weights(std::move(of_outputs)) {
    check(!weights.defined() || weights.shape() == Shape{int64_t(experts.size())},
          "routing: expected one weight for each of {} rows, found {}", experts.size(),
          weights.shape().str());
}

}  // namespace smoe
