// CausalSelfAttention: two projections around the op, the first of which makes the queries, keys
// and values of all heads in one product; and the step. In a step a head needs nothing from the
// others, so its three products, the softmax and its part of the output are one piece of work.
// Read next: autograd/ops/attention.cpp.
#include "nn/attention.h"

#include <algorithm>

#include "autograd/ops.h"
#include "core/cached_attention.h"
#include "core/check.h"
#include "core/matvec.h"
#include "core/threads.h"

namespace smoe {
namespace {

constexpr int64_t max_parts = 64;

int64_t checked_heads(int64_t width, int64_t heads) {
    check(heads > 0 && width % heads == 0, "attention: {} heads do not divide the width {}", heads,
          width);
    return heads;
}

// The keys or values of a head in one sequence.
real* cached(const Tensor& table, int64_t slot, int64_t head) {
    return table.data() + (slot * table.size(1) + head) * table.size(2) * table.size(3);
}

}  // namespace

CausalSelfAttention::CausalSelfAttention(const Scope& scope, int64_t width, int64_t heads, Rng& rng)
    : Module(scope),
      qkv_proj({this, "qkv_proj"}, width, 3 * width, false, rng),
      out_proj({this, "out_proj"}, width, width, false, rng),
      heads_(checked_heads(width, heads)),
      head_size_(width / heads),
      grain_((heads + max_parts - 1) / max_parts) {}

Variable CausalSelfAttention::forward(const Variable& x, const Sequences& sequences) const {
    return out_proj.forward(attention(qkv_proj.forward(x), sequences, heads_));
}

CausalSelfAttention::Cache CausalSelfAttention::make_cache(int64_t slots, int64_t context,
                                                           Precision weights) const {
    return {Tensor::empty({slots, heads_, in_blocks(context), head_size_}),
            Tensor::empty({slots, heads_, context, head_size_}),
            RowMatrix(qkv_proj.weight.value(), weights),
            RowMatrix(transpose(Variable(out_proj.weight.value()), 0, 1).value(), weights,
                      RowMatrix::For::combine_rows, RowMatrix::Numbers::own)};
}

StepNeeds CausalSelfAttention::step_needs(int64_t rows, int64_t context) const {
    // A query, a key, a value and a mix of values for each row, and scores.
    return {.parts = parts(),
            .numbers = 4 * heads_ * head_size_ * rows + parts() * in_blocks(context)};
}

StepParts CausalSelfAttention::step(const StepRows& rows, const real* x, const Cache& cache,
                                    StepMemory& memory) const {
    parallel_chunks(parts(), [&](int64_t part) { step_part(part, rows, x, cache, memory); });
    return {memory.parts.data(), parts()};
}

// The part (M, C) of some heads.
void CausalSelfAttention::step_part(int64_t part, const StepRows& rows, const real* x,
                                    const Cache& cache, StepMemory& memory) const {
    const int64_t M = rows.size(), D = head_size_, C = heads_ * D, places = cache.keys.size(2);
    const int64_t first_head = part * grain_, last_head = std::min(first_head + grain_, heads_);
    const int64_t first = first_head * D, width = (last_head - first_head) * D;
    const real scale = attention_scale(D);
    real* const q = memory.numbers.data() + 4 * M * first;  // (M, width), and so are k, v, mixed
    real* const k = q + M * width;
    real* const v = k + M * width;
    real* const mixed = v + M * width;
    real* const scores = memory.numbers.data() + 4 * M * C + part * places;
    multiply_rows(M, x, C, cache.qkv.rows(first, width), q, width);
    multiply_rows(M, x, C, cache.qkv.rows(C + first, width), k, width);
    multiply_rows(M, x, C, cache.qkv.rows(2 * C + first, width), v, width);
    for (int64_t head = first_head; head < last_head; ++head) {
        for (int64_t m = 0; m < M; ++m) {
            const int64_t at = m * width + head * D - first;
            const int64_t seen = rows.positions[size_t(m)] + 1;
            real* const keys = cached(cache.keys, rows.slots[size_t(m)], head);
            real* const values = cached(cache.values, rows.slots[size_t(m)], head);
            put_key(k + at, D, seen - 1, keys);
            std::copy_n(v + at, D, values + (seen - 1) * D);
            attend(q + at, D, keys, values, seen, scale, scores, mixed + at);
        }
    }
    combine_rows(M, mixed, width, cache.out.rows(first, width), memory.parts.data() + part * M * C,
                 C);
}

void CausalSelfAttention::copy(const Cache& cache, int64_t from, int64_t to, int64_t length) const {
    for (int64_t head = 0; head < heads_; ++head) {
        std::copy_n(cached(cache.keys, from, head), in_blocks(length) * head_size_,
                    cached(cache.keys, to, head));
        std::copy_n(cached(cache.values, from, head), length * head_size_,
                    cached(cache.values, to, head));
    }
}

}  // namespace smoe
