// Causal multi-head self-attention (Vaswani et al., "Attention Is All You Need", 2017, section
// 3.2): over whole sequences, and position by position with the keys and values of the positions
// before.
// Read next: routing.h; autograd/ops/attention.cpp for the arithmetic over sequences.
#pragma once

#include "core/row_matrix.h"
#include "core/sequences.h"
#include "nn/linear.h"
#include "nn/step.h"

namespace smoe {

class CausalSelfAttention : public Module {
  public:
    // Throws Error unless heads divides width.
    CausalSelfAttention(const Scope& scope, int64_t width, int64_t heads, Rng& rng);

    // x (N, C), the rows of `sequences` -> (N, C)
    Variable forward(const Variable& x, const Sequences& sequences) const;

    // What steps keep: the keys and values of each sequence's positions so far. It is made from the
    // weights, which must not change while it is used.
    struct Cache {
        Tensor keys;    // (slots, H, in_blocks(context), D), in the order of cached_attention.h
        Tensor values;  // (slots, H, context, D)
        RowMatrix qkv;  // (3C, C)
        RowMatrix out;  // (C, C), transposed: row c is what number c of the heads adds
    };
    Cache make_cache(int64_t slots, int64_t context, Precision weights = Precision::float32) const;
    StepNeeds step_needs(int64_t rows, int64_t context) const;

    // x (M, C) -> (M, C); a row's key and value go to its place in the cache.
    StepParts step(const StepRows& rows, const real* x, const Cache& cache,
                   StepMemory& memory) const;

    // The first `length` positions of sequence `from` become those of sequence `to`.
    void copy(const Cache& cache, int64_t from, int64_t to, int64_t length) const;

    Linear qkv_proj;  // (3C, C): queries, keys, values
    Linear out_proj;  // (C, C)

  private:
    int64_t parts() const { return (heads_ + grain_ - 1) / grain_; }
    void step_part(int64_t part, const StepRows& rows, const real* x, const Cache& cache,
                   StepMemory& memory) const;

    int64_t heads_, head_size_;  // H, D
    int64_t grain_;              // heads in a part
};

}  // namespace smoe
