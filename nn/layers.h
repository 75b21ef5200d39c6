// The small layers: Embedding, Dropout, LayerNorm, RMSNorm. Each is a few parameters and one call
// of an op. Only Dropout distinguishes training from evaluation.
// Read next: attention.h.
#pragma once

#include "core/rng.h"
#include "nn/module.h"
#include "nn/step.h"

namespace smoe {

// ids (N) -> rows of weight (N, C). The weight (V, C) starts normal(0, 1), as in PyTorch.
class Embedding : public Module {
  public:
    Embedding(const Scope& scope, int64_t count, int64_t width, Rng& rng);
    Variable forward(const std::vector<int32_t>& ids) const;

    Variable& weight;
};

// Zeroes elements with probability p in training mode, and is the identity in evaluation mode.
// Which elements to drop is drawn beforehand and handed in, so that computing again drops the same
// ones, and several threads can use one const module. Throws Error unless p is in [0, 1).
class Dropout : public Module {
  public:
    Dropout(const Scope& scope, double p);

    // What one call drops: probability and seed.
    struct Draw {
        double p;
        uint64_t seed;
    };
    // Drops nothing in evaluation mode or for p = 0; otherwise takes a fresh seed from `rng`.
    // Throws Error if one is needed and `rng` is null.
    Draw draw(Rng* rng) const;
    Variable forward(const Variable& x, const Draw& draw) const;

  private:
    double p_;
};

// Each row to mean 0 and variance 1, times weight (starts 1), plus bias (starts 0); eps is norm_eps.
class LayerNorm : public Module {
  public:
    LayerNorm(const Scope& scope, int64_t width);
    Variable forward(const Variable& x) const;
    // The same for x + dropout(branch), in one pass.
    Variable forward(const Variable& x, const Variable& branch, const Dropout::Draw& draw) const;
    // x (M, C) = forward(x + the branch's step), in place. The first of the parts is overwritten.
    void step(int64_t rows, const StepParts& branch, real* x) const;

    Variable &weight, &bias;
};

// Each row divided by the root of its mean square, times weight (starts 1); eps is norm_eps.
class RMSNorm : public Module {
  public:
    RMSNorm(const Scope& scope, int64_t width);
    Variable forward(const Variable& x) const;
    // As LayerNorm's.
    void step(int64_t rows, const StepParts& branch, real* x) const;

    Variable& weight;
};

}  // namespace smoe
