// CausalSelfAttention, with and without a cache.
#include "nn/attention.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "core/check.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

CausalSelfAttention::CausalSelfAttention(const Scope& scope, int64_t width, int64_t heads, Rng& rng)
    : Module(scope),
      qkv_proj({this, "qkv_proj"}, width, 3 * width, false, rng),
      out_proj({this, "out_proj"}, width, width, false, rng),
      heads_(heads) {
    check(heads > 0 && width % heads == 0, "attention: {} heads do not divide the width {}", heads,
          width);
}

Variable CausalSelfAttention::forward(const Variable& x,
                                      const std::vector<int64_t>& offsets) const {
    return out_proj.forward(attention(qkv_proj.forward(x), offsets, heads_));
}

Variable CausalSelfAttention::forward_cached(const Variable& x, const CacheRows& rows,
                                             AttentionCache& cache) const {
    const NoGrad no_grad;
    const Tensor qkv = qkv_proj.forward(x).value();  // (N, 3C)
    const int64_t N = qkv.size(0), C = qkv.size(1) / 3, D = C / heads_;
    const int64_t context = cache.keys.size(1);
    const auto cached = [&](const Tensor& tensor, int64_t slot, int64_t position) {
        return tensor.data() + (slot * context + position) * C;
    };
    for (int64_t n = 0; n < N; ++n) {
        const int64_t slot = rows.slot[size_t(n)], position = rows.position[size_t(n)];
        check(position < context, "attention: position {} is beyond the context of {}", position,
              context);
        std::copy_n(qkv.data() + n * 3 * C + C, C, cached(cache.keys, slot, position));
        std::copy_n(qkv.data() + n * 3 * C + 2 * C, C, cached(cache.values, slot, position));
    }
    const Tensor mixed = Tensor::zeros({N, C});
    const Tensor scores = Tensor::empty({N * heads_, context});
    parallel_chunks(N * heads_, [&](int64_t task) {
        const int64_t n = task / heads_, head = task % heads_;
        const int64_t slot = rows.slot[size_t(n)], seen = rows.position[size_t(n)] + 1;
        const real* const q = qkv.data() + n * 3 * C + head * D;
        const real* const k = cached(cache.keys, slot, 0) + head * D;
        const real* const v = cached(cache.values, slot, 0) + head * D;
        real* const p = scores.data() + task * context;
        for (int64_t j = 0; j < seen; ++j) {
            p[j] = dot(q, k + j * C, D);
        }
        const real total = exp_and_sum(p, seen, 1 / std::sqrt(real(D)), largest(p, seen));
        real* const y = mixed.data() + n * C + head * D;
        for (int64_t j = 0; j < seen; ++j) {
            axpy(D, p[j] / total, v + j * C, y);
        }
    });
    return out_proj.forward(Variable(mixed));
}

}  // namespace smoe
