// The small layers: Embedding, LayerNorm, Dropout. Each is a few parameters and one call of an op.
// Dropout alone tells training from evaluation.
// Read next: attention.h.
#pragma once

#include "core/rng.h"
#include "nn/module.h"

namespace smoe {

// ids (N) -> rows of weight (N, C). The weight (V, C) starts normal(0, 1), as in PyTorch.
class Embedding : public Module {
  public:
    Embedding(const Scope& scope, int64_t count, int64_t width, Rng& rng);
    Variable forward(const std::vector<int32_t>& ids) const;

    Variable& weight;
};

// While training zeroes elements with probability p, drawing a fresh seed from `rng` for each call;
// in evaluation mode the identity. Throws Error unless p is in [0, 1).
class Dropout : public Module {
  public:
    Dropout(const Scope& scope, double p, Rng& rng);
    Variable forward(const Variable& x) const;

    // Probability and seed of the next call, for an op that drops by itself.
    struct Draw {
        double p;
        uint64_t seed;
    };
    Draw draw() const;

  private:
    double p_;
    Rng& rng_;
};

// Each row to mean 0 and variance 1, times weight (starts 1), plus bias (starts 0); eps 1e-5.
class LayerNorm : public Module {
  public:
    LayerNorm(const Scope& scope, int64_t width);
    Variable forward(const Variable& x) const;
    // The same of x + dropout(branch), in one pass.
    Variable forward(const Variable& x, const Variable& branch, const Dropout::Draw& draw) const;

    Variable &weight, &bias;
};

}  // namespace smoe
