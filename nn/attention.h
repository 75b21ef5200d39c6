// Causal multi-head self-attention (Vaswani et al., "Attention Is All You Need", 2017,
// section 3.2), over whole sequences for training and, with a cache of keys and values, over new
// positions only. Read next: feed_forward.h; autograd/ops/attention.cpp for the arithmetic.
#pragma once

#include "nn/linear.h"

namespace smoe {

// Keys and values of the positions seen so far, for each of several sequences ("slots").
struct AttentionCache {
    Tensor keys, values;  // (slots, context, C) each
};

// Where row n of a batch of new positions belongs: position[n] of the sequence in slot[n]. The rows
// of a slot come in rising order, and all earlier positions of the slot are in the cache or in the
// same batch.
struct CacheRows {
    std::vector<int32_t> slot, position;
};

class CausalSelfAttention : public Module {
  public:
    // Throws Error unless heads divides width.
    CausalSelfAttention(const Scope& scope, int64_t width, int64_t heads, Rng& rng);

    // x (N, C), ragged sequences with offsets (B + 1) -> (N, C)
    Variable forward(const Variable& x, const std::vector<int64_t>& offsets) const;

    // x (N, C), one row for each new position -> (N, C). Adds their keys and values to the cache.
    // Records no gradient.
    Variable forward_cached(const Variable& x, const CacheRows& rows, AttentionCache& cache) const;

    Linear qkv_proj;  // (3C, C): queries, keys, values
    Linear out_proj;  // (C, C)

  private:
    int64_t heads_;
};

}  // namespace smoe
