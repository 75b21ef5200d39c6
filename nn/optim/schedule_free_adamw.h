// Schedule-free AdamW (Defazio et al., "The Road Less Scheduled", 2024): three sequences instead of
// a schedule. z makes the steps; x is their average and is evaluated; y lies between the two, and
// gradients are taken there. The parameters hold y in training mode and x in evaluation mode; z and
// v are kept beside them.
// Read next: models/training/trainer.h, which switches the modes.
#pragma once

#include "nn/optim/optimizer.h"

namespace smoe {

// Per parameter, with z starting at the parameter, v at 0, k counting steps from 0:
//     lr_k = lr min(1, (k+1)/warmup);   w = (largest lr so far)^2;   c = w / (sum of all w so far)
//     v = beta2 v + (1 - beta2) g^2
//     d = g / (sqrt(v / (1 - beta2^(k+1))) + eps) + weight_decay y
//     y = (1-c) y + c z + lr_k (beta1 (1-c) - 1) d;    z = z - lr_k d
//     x = y + (1 - 1/beta1) (z - y)
// A group's factor for the learning rate leaves c as it is: c would be the same if all of its rates
// were multiplied. So its average is that of an optimiser with that rate.
class ScheduleFreeAdamW : public Optimizer {
  public:
    // Throws Error unless beta1 is positive, otherwise x cannot be computed from y and z; and for a
    // schedule.
    ScheduleFreeAdamW(const Tensor& values, const Tensor& grads, const OptimizerSettings& settings);

  private:
    void update(const Part& part) override;
    void begin_step() override;
    Tensor averaged_values() const override;  // x

    double c_ = 0;  // of this step
};

}  // namespace smoe
