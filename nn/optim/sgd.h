// Stochastic gradient descent with momentum, in the form of PyTorch's SGD. It leaves out Nesterov's
// variant and dampening.
// Read next: adamw.h.
#pragma once

#include "nn/optim/optimizer.h"

namespace smoe {

// Per parameter, with m starting at 0:
//     g = grad + weight_decay value;  m = beta1 m + g;  value -= lr m
class Sgd : public Optimizer {
  public:
    Sgd(const Tensor& values, const Tensor& grads, const OptimizerSettings& settings);

  private:
    void update(const Part& part) override;
};

}  // namespace smoe
