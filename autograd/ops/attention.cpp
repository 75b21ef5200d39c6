// Causal self-attention. Each head of each sequence is a task of its own. Queries are taken in
// blocks. Each block meets the keys, also in blocks, up to its own end, so that the future costs
// only the upper triangles on the diagonal. The softmax keeps pace: each block of keys brings its
// largest score and its sum, and what was added up before is scaled to them. Backward computes the
// scores again from each row's log-normaliser. After Dao et al., "FlashAttention" (2022), section
// 3.1. Nothing is transposed: a head is read with leading dimension 3C.
// Read next: loss.cpp.
#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "core/blas.h"
#include "core/check.h"
#include "core/scratch.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

// A sequence of up to 256 tokens has a single block of keys; larger blocks would no longer fit
// into a core's own cache together with the queries.
constexpr int64_t query_block = 64, key_block = 256;
// So a block of keys never begins after a query that meets it, and each query sees at least one of
// its keys.
static_assert(key_block % query_block == 0);

struct Geometry {
    Sequences sequences;
    int64_t heads;
    real scale;

    // Calls body(head, begin, length) for each head of each sequence, on all threads.
    template <class Body>
    void for_each_head(const Body& body) const {
        const std::vector<int64_t>& offsets = sequences.offsets();
        parallel_chunks(sequences.count() * heads, [&](int64_t task) {
            const size_t b = size_t(task / heads);
            body(task % heads, offsets[b], offsets[b + 1] - offsets[b]);
        });
    }
};

// How many of the `count` keys from number `first` on are visible to the query at position t.
int64_t visible(int64_t t, int64_t first, int64_t count) {
    return std::min(t + 1 - first, count);
}

// Calls body(first, count) for the blocks of the keys 0 .. end - 1.
template <class Body>
void for_each_key_block(int64_t end, const Body& body) {
    for (int64_t first = 0; first < end; first += key_block) {
        body(first, std::min(key_block, end - first));
    }
}

}  // namespace

real attention_scale(int64_t head_size) {
    return 1 / std::sqrt(real(head_size));
}

int64_t attention_pairs(int64_t length) {
    int64_t pairs = 0;
    for (int64_t first = 0; first < length; first += query_block) {
        const int64_t last = std::min(length, first + query_block);
        pairs += (last - first) * last;
    }
    return pairs;
}

Variable attention(const Variable& qkv, const Sequences& sequences, int64_t heads) {
    check(qkv.shape().rank() == 2 && heads > 0 && qkv.shape()[1] % (3 * heads) == 0,
          "attention: expected qkv (N, 3C) with C divisible by {} heads, found {}", heads,
          qkv.shape().str());
    const int64_t N = qkv.shape()[0], C = qkv.shape()[1] / 3, D = C / heads;
    check(sequences.size() == N, "attention: sequences of {} tokens for the {} rows of qkv",
          sequences.size(), N);
    const Geometry geometry{sequences, heads, attention_scale(D)};
    const Tensor X = qkv.value(), out = Tensor::empty({N, C}), log_sums = Tensor::empty({heads, N});

    geometry.for_each_head([&](int64_t head, int64_t begin, int64_t T) {
        const real* const q = X.data() + begin * 3 * C + head * D;  // (T, D), leading dimension 3C
        const real* const k = q + C;
        const real* const v = q + 2 * C;
        real* const y = out.data() + begin * C + head * D;         // (T, D), leading dimension C
        real* const log_sum = log_sums.data() + head * N + begin;  // (T)
        real* const S = scratch(0, query_block * key_block);
        real* const most = scratch(1, query_block);   // largest score of each query so far
        real* const total = scratch(2, query_block);  // sum of exp(scale * (score - most))
        for (int64_t first = 0; first < T; first += query_block) {
            const int64_t last = std::min(T, first + query_block), rows = last - first;
            real* const y_block = y + first * C;
            for_each_key_block(last, [&](int64_t key, int64_t keys) {
                // s (rows, keys) = q (rows, D) k^T (D, keys)
                gemm_serial(Trans::no, Trans::yes, rows, keys, D, q + first * 3 * C, 3 * C,
                            k + key * 3 * C, 3 * C, 0, S, keys);
                for (int64_t r = 0; r < rows; ++r) {
                    real* const p = S + r * keys;
                    const int64_t seen = visible(first + r, key, keys);
                    std::fill(p + seen, p + keys, real(0));
                    const real before = key > 0 ? most[r] : p[0];
                    most[r] = std::max(before, largest(p, seen));
                    const real sum = exp_and_sum(p, seen, geometry.scale, most[r]);
                    if (key == 0) {
                        total[r] = sum;
                    } else {
                        const real shrink = fast_exp(geometry.scale * (before - most[r]));
                        total[r] = total[r] * shrink + sum;
                        for (int64_t d = 0; d < D; ++d) {
                            y_block[r * C + d] *= shrink;
                        }
                    }
                }
                // y (rows, D) = or += p (rows, keys) v (keys, D)
                gemm_serial(Trans::no, Trans::no, rows, D, keys, S, keys, v + key * 3 * C, 3 * C,
                            key > 0 ? 1 : 0, y_block, C);
            });
            for (int64_t r = 0; r < rows; ++r) {
                const real factor = 1 / total[r];
                for (int64_t d = 0; d < D; ++d) {
                    y_block[r * C + d] *= factor;
                }
                log_sum[first + r] = geometry.scale * most[r] + std::log(total[r]);
            }
        }
    });

    return record(
        "attention", out, {qkv},
        [X, out, log_sums, geometry, N, C, D](const Tensor& dout, std::span<Tensor* const> din) {
            geometry.for_each_head([&](int64_t head, int64_t begin, int64_t T) {
                const real* const q = X.data() + begin * 3 * C + head * D;
                const real* const k = q + C;
                const real* const v = q + 2 * C;
                real* const dq = din[0]->data() + begin * 3 * C + head * D;
                real* const dk = dq + C;
                real* const dv = dq + 2 * C;
                const real* const y = out.data() + begin * C + head * D;
                const real* const dy = dout.data() + begin * C + head * D;
                const real* const log_sum = log_sums.data() + head * N + begin;
                real* const P = scratch(0, query_block * key_block);
                real* const dS = scratch(1, query_block * key_block);
                for (int64_t first = 0; first < T; first += query_block) {
                    const int64_t last = std::min(T, first + query_block), rows = last - first;
                    const real* const q_block = q + first * 3 * C;
                    const real* const dy_block = dy + first * C;
                    for_each_key_block(last, [&](int64_t key, int64_t keys) {
                        const real* const k_block = k + key * 3 * C;
                        // p (rows, keys) = exp(scale * q k^T - log_sum), as in forward
                        gemm_serial(Trans::no, Trans::yes, rows, keys, D, q_block, 3 * C, k_block,
                                    3 * C, 0, P, keys);
                        // y = p v: dp (rows, keys) = dy (rows, D) v^T (D, keys), held in dS
                        gemm_serial(Trans::no, Trans::yes, rows, keys, D, dy_block, C,
                                    v + key * 3 * C, 3 * C, 0, dS, keys);
                        for (int64_t r = 0; r < rows; ++r) {
                            const int64_t t = first + r, seen = visible(t, key, keys);
                            real* const p = P + r * keys;
                            real* const ds = dS + r * keys;
                            // p = softmax(scale * s): ds = scale * p * (dp - sum of p dp), and that
                            // sum is the dot product of y and dy
                            const real shared = dot(y + t * C, dy + t * C, D);
                            const real scale = geometry.scale, offset = log_sum[t];
#pragma omp simd
                            for (int64_t j = 0; j < seen; ++j) {
                                p[j] = fast_exp(scale * p[j] - offset);
                                ds[j] = scale * p[j] * (ds[j] - shared);
                            }
                            std::fill(p + seen, p + keys, real(0));
                            std::fill(ds + seen, ds + keys, real(0));
                        }
                        // y = p v: dv (keys, D) += p^T (keys, rows) dy (rows, D)
                        gemm_serial(Trans::yes, Trans::no, keys, D, rows, P, keys, dy_block, C, 1,
                                    dv + key * 3 * C, 3 * C);
                        // s = q k^T: dq (rows, D) += ds (rows, keys) k (keys, D)
                        gemm_serial(Trans::no, Trans::no, rows, D, keys, dS, keys, k_block, 3 * C,
                                    1, dq + first * 3 * C, 3 * C);
                        // s = q k^T: dk (keys, D) += ds^T (keys, rows) q (rows, D)
                        gemm_serial(Trans::yes, Trans::no, keys, D, rows, dS, keys, q_block, 3 * C,
                                    1, dk + key * 3 * C, 3 * C);
                    });
                }
            });
        });
}

}  // namespace smoe
