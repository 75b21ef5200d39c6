// The feed-forward network of a block, and of every expert in it: one set of weights; an expert is
// what its masks leave of them. Refuses to choose experts: experts are handed in.
// Read next: models/transformer/decoder.h; autograd/ops/sparse_feed_forward.cpp for the arithmetic.
#pragma once

#include "autograd/ops.h"
#include "nn/linear.h"
#include "nn/masks.h"
#include "nn/step.h"

namespace smoe {

// How it is computed; all forms give the same up to rounding.
enum class FeedForwardForm {
    automatic,  // sparse where that pays, else fused
    composed,   // the formula, layer by layer: the reference for the others
    fused,      // all neurons, with everything behind a product done in cache
    sparse      // only the neurons that an expert keeps
};

// The expert of each row of a batch; the rows are sorted by expert once for all layers.
struct Routing {
    Experts experts;  // (N), or empty: none, the dense network
    ExpertGroups groups;

    Routing(Experts of_rows, int64_t num_experts)
        : experts(std::move(of_rows)), groups(experts, num_experts) {}
};

// lin_2(relu(lin_1(x, e)), e): C -> F -> C, with biases.
class FeedForward : public Module {
  public:
    // Throws Error as MaskedLinear does.
    FeedForward(const Scope& scope, int64_t width, int64_t hidden, const MaskTables& masks,
                Rng& rng, FeedForwardForm form = FeedForwardForm::automatic);
    Variable forward(const Variable& x, const Routing& routing) const;  // (N, C) -> (N, C)

    // What steps keep, made from the weights, which must not change while it is used.
    struct Cache {
        Tensor weight_2;  // (F, C), transposed: row f is what hidden neuron f adds
    };
    Cache make_cache() const;
    StepNeeds step_needs(int64_t rows) const;

    // x (M, C) -> (M, C). No weight is read of a neuron that the experts of all rows mask, and none
    // that leads away from a silent one.
    StepParts step(const StepRows& rows, const real* x, const Cache& cache,
                   StepMemory& memory) const;

    MaskedLinear lin_1, lin_2;

  private:
    void step_part(int64_t part, const StepRows& rows, const real* x, const Cache& cache,
                   StepMemory& memory) const;

    FeedForwardForm form_;
};

// Does the sparse form pay for this routing through experts with these masks? The shapes alone
// decide.
bool sparse_pays(const ExpertMasks& masks, const ExpertGroups& groups);

}  // namespace smoe
