// One network in which every expert lives: lin_2(relu(lin_1(x, e)), e), C -> F -> C with biases,
// where expert e is what its masks leave of both layers.
// Read next: models/transformer/decoder.h; autograd/ops/sparse_feed_forward.cpp for the arithmetic.
#pragma once

#include "nn/feed_forward.h"
#include "nn/linear.h"

namespace smoe {

// How forward computes the network. All forms give the same up to rounding.
enum class FeedForwardForm {
    automatic,  // fused, sparse or blocks, whichever takes least time
    composed,   // the formula, layer by layer: the reference for the others
    fused,      // all neurons, with everything after a product done in cache
    sparse,     // only the neurons that an expert keeps, expert by expert
    blocks      // the same block by block, for masks that keep whole blocks of neurons
};

class MaskedFeedForward : public FeedForward {
  public:
    // The line of the registry.
    static FeedForwardKind kind(FeedForwardForm form);

    // Throws Error as MaskedLinear does.
    MaskedFeedForward(const Scope& scope, const FeedForwardSizes& sizes, const MaskTables& masks,
                      Rng& init, FeedForwardForm form = FeedForwardForm::automatic);

    // lin_1's weight (F, C), and lin_2's transposed (F, C): row f is what hidden neuron f adds.
    std::vector<RowMatrix> step_weights(Precision precision) const override;
    StepNeeds step_needs(int64_t rows) const override;
    std::vector<ProductCost> costs(int32_t expert) const override;
    bool skips_masked(std::span<const double> rows) const override;
    double step_cost(int32_t expert) const override;
    double active_parameters(int32_t expert) const override;
    std::vector<Tensor> masks() const override;

    MaskedLinear lin_1, lin_2;

  private:
    Variable compute(const Variable& x, const Routing& routing) const override;
    // With few rows, and if few of the neurons matter to any of them: reads no weight of a neuron that
    // the experts of all rows mask, and no weight that leads away from a silent neuron.
    void step_part(int64_t part, const StepRows& rows, const real* x,
                   const std::vector<RowMatrix>& step_weights, StepMemory& memory,
                   real* y) const override;

    void state_loaded() override;
    // The form for a batch with rows[e] rows of expert e, in the precision of Autocast.
    FeedForwardForm form_for(std::span<const double> rows) const;

    // What the choice of a form needs to know of the masks, counted once.
    struct Kept {
        Kept(const Tensor& hidden, const Tensor& output);

        struct Expert {
            double hidden, output;  // neurons
        };
        std::vector<Expert> experts;  // (K)
        ExpertBlocks blocks;
    };

    FeedForwardForm form_;
    Kept kept_;
};

}  // namespace smoe
