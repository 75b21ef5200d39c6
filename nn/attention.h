// Causal multi-head self-attention (Vaswani et al., "Attention Is All You Need", 2017, section 3.2)
// over whole sequences. Refuses to keep keys and values for generation:
// models/transformer/incremental_decoder.h does.
// Read next: feed_forward.h; autograd/ops/attention.cpp for the arithmetic.
#pragma once

#include "core/sequences.h"
#include "nn/linear.h"

namespace smoe {

class CausalSelfAttention : public Module {
  public:
    // Throws Error unless heads divides width.
    CausalSelfAttention(const Scope& scope, int64_t width, int64_t heads, Rng& rng);

    // x (N, C), the rows of `sequences` -> (N, C)
    Variable forward(const Variable& x, const Sequences& sequences) const;

    Linear qkv_proj;  // (3C, C): queries, keys, values
    Linear out_proj;  // (C, C)

  private:
    int64_t heads_;
};

}  // namespace smoe
