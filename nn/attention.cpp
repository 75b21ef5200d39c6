// CausalSelfAttention: two projections around the op. One product makes queries, keys and values of
// all heads; the op finds a head by its columns.
// Read next: autograd/ops/attention.cpp.
#include "nn/attention.h"

#include "autograd/ops.h"
#include "core/check.h"

namespace smoe {

CausalSelfAttention::CausalSelfAttention(const Scope& scope, int64_t width, int64_t heads, Rng& rng)
    : Module(scope),
      qkv_proj({this, "qkv_proj"}, width, 3 * width, false, rng),
      out_proj({this, "out_proj"}, width, width, false, rng),
      heads_(heads) {
    check(heads > 0 && width % heads == 0, "attention: {} heads do not divide the width {}", heads,
          width);
}

Variable CausalSelfAttention::forward(const Variable& x, const Sequences& sequences) const {
    return out_proj.forward(attention(qkv_proj.forward(x), sequences, heads_));
}

}  // namespace smoe
