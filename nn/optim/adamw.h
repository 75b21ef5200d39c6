// AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, algorithm 2).
// lr is that of the step, after warm-up and schedule.
// Read next: schedule_free_adamw.h.
#pragma once

#include "nn/optim/optimizer.h"

namespace smoe {

// Per parameter, with m and v starting at 0 and k counting steps from 0:
//     m = beta1 m + (1 - beta1) g;   v = beta2 v + (1 - beta2) g^2
//     value -= lr (m / (1 - beta1^(k+1)) / (sqrt(v / (1 - beta2^(k+1))) + eps)
//                  + weight_decay value)
class AdamW : public Optimizer {
  public:
    AdamW(const Tensor& values, const Tensor& grads, const OptimizerSettings& settings);

  private:
    void update(const Part& part) override;
};

}  // namespace smoe
