// What the learned router learns from: being right (its tokens' losses) and being fair (equal
// shares). Both losses are the original's, formula by formula.
// Read next: models/training/trainer.h.
#pragma once

#include "nn/linear.h"

namespace smoe {

struct RouterLosses {
    Variable correctness, distribution;  // single numbers
};

// routing r (N, K): softmax probabilities; experts e (N): the experts that were used; losses L (N):
// the model's token losses, constants here; positions (N): the place of each token in its sequence.
//     worse        = max(0, L - mean of L over the tokens at the same position)
//     correctness  = 10 mean((worse r[e])^2)
//     shortage_k   = (N/K - count of expert k) / (N/K)
//     target       = clamp(r[e] + shortage_e, 0, 1), a constant
//     distribution = 5000/N sum (r[e] - target)^2
// If only one sequence of the batch reaches a position, the mean is that token's own loss and worse
// is 0: the tail of the longest story says nothing about correctness.
RouterLosses router_losses(const Variable& routing, const Experts& experts, const Tensor& losses,
                           const std::vector<int32_t>& positions);

}  // namespace smoe
