// What fused kernels are compared with: the same formula computed one piece at a time, each piece
// writing its whole result to memory. kernels.cpp puts ops of the catalogue together where it can;
// this file has what they cannot say. Nothing is fused here, but all threads are used, the products
// are BLAS and every loop is vectorised.
//
// Read next: kernels.cpp.
#pragma once

#include "autograd/variable.h"
#include "core/sequences.h"
#include "nn/optim/optimizer.h"

namespace smoe::bench {

// attention() of ops.h with the (T, T) probabilities of every head in memory and kept for backward.
Variable attention_by_matrices(const Variable& qkv, const Sequences& sequences, int64_t heads);

// The schedule-free step of nn/optim/schedule_free_adamw.h, one pass over the buffers for each of
// its formulas. It takes no groups.
class ScheduleFreePasses : public Optimizer {
  public:
    ScheduleFreePasses(const Tensor& values, const Tensor& grads,
                       const OptimizerSettings& settings);

  private:
    void update(const Part& all) override;
};

}  // namespace smoe::bench
