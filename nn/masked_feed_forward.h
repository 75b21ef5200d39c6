// One network in which every expert lives: lin_2(relu(lin_1(x, e)), e), C -> F -> C with biases,
// where expert e is what its masks leave of both layers.
// Read next: models/transformer/decoder.h; autograd/ops/sparse_feed_forward.cpp for the arithmetic.
#pragma once

#include "nn/feed_forward.h"
#include "nn/linear.h"

namespace smoe {

// How forward computes the network. All forms give the same up to rounding.
enum class FeedForwardForm {
    automatic,  // sparse where that pays, else fused
    composed,   // the formula, layer by layer: the reference for the others
    fused,      // all neurons, with everything after a product done in cache
    sparse      // only the neurons that an expert keeps
};

class MaskedFeedForward : public FeedForward {
  public:
    // The line of the registry.
    static FeedForwardKind kind(FeedForwardForm form);

    // Throws Error as MaskedLinear does.
    MaskedFeedForward(const Scope& scope, const FeedForwardSizes& sizes, const MaskTables& masks,
                      Rng& init, FeedForwardForm form = FeedForwardForm::automatic);

    // lin_2's weight transposed (F, C): row f is what hidden neuron f adds.
    std::vector<Tensor> step_weights() const override;
    StepNeeds step_needs(int64_t rows) const override;
    std::vector<ProductCost> costs(int32_t expert) const override;
    bool skips_masked(std::span<const double> rows) const override;
    double step_cost(int32_t expert) const override;
    double active_parameters(int32_t expert) const override;
    std::vector<Tensor> masks() const override;

    MaskedLinear lin_1, lin_2;

  private:
    Variable compute(const Variable& x, const Routing& routing) const override;
    // Reads no weight of a neuron that the experts of all rows mask, and no weight that leads away
    // from a silent neuron.
    void step_part(int64_t part, const StepRows& rows, const real* x,
                   const std::vector<Tensor>& step_weights, StepMemory& memory,
                   real* y) const override;

    FeedForwardForm form_;
};

}  // namespace smoe
