// The feed-forward network of a block, and of every expert in it.
// Read next: models/decoder.h.
#pragma once

#include "nn/linear.h"

namespace smoe {

// Where the expert masks apply: to the hidden neurons, to the outputs, or (the original) to both.
enum class MaskWhere { hidden, output, both };

// lin_2(relu(lin_1(x, e)), e): C -> F -> C, with biases. Where masks do not apply they are all
// ones.
class FeedForward : public Module {
  public:
    // draw.stream numbers this network within the model; each of its two layers gets masks of its
    // own.
    FeedForward(const Scope& scope, int64_t width, int64_t hidden, const MaskDraw& draw,
                MaskWhere where, Rng& rng);
    Variable forward(const Variable& x, const Labels& labels) const;

    MaskedLinear lin_1, lin_2;
};

}  // namespace smoe
