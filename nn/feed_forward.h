// The feed-forward network of a block, and of every expert in it: one set of weights; an expert is
// what its masks leave of them. Refuses to choose experts: experts are handed in.
// Read next: models/transformer/decoder.h; autograd/ops/sparse_feed_forward.cpp for the arithmetic.
#pragma once

#include "autograd/ops.h"
#include "nn/linear.h"

namespace smoe {

// Where the expert masks apply: to the hidden neurons, to the outputs, or (the original) to both.
enum class MaskWhere { hidden, output, both };

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

// lin_2(relu(lin_1(x, e)), e): C -> F -> C, with biases. Where masks do not apply they are all
// ones.
class FeedForward : public Module {
  public:
    // draw.stream numbers this network within the model; each of its two layers gets masks of its
    // own. Throws Error as MaskedLinear does.
    FeedForward(const Scope& scope, int64_t width, int64_t hidden, const MaskDraw& draw,
                MaskWhere where, Rng& rng, FeedForwardForm form = FeedForwardForm::automatic);
    Variable forward(const Variable& x, const Routing& routing) const;  // (N, C) -> (N, C)

    MaskedLinear lin_1, lin_2;

  private:
    FeedForwardForm form_;
};

// Does the sparse form pay for this routing through experts with these masks? The shapes alone
// decide.
bool sparse_pays(const ExpertMasks& masks, const ExpertGroups& groups);

}  // namespace smoe
