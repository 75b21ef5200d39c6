// Causal self-attention. Each head of each sequence is a task of its own. Queries are taken in
// blocks, and a block multiplies only with the keys up to its own end, so that the future costs
// nothing but the upper triangles on the diagonal. Scores live in scratch memory; backward computes
// them again from the logarithm of each row's normaliser, after Dao et al., "FlashAttention"
// (2022), section 3.1. Nothing is transposed: a head is read with leading dimension 3C.
#include <cmath>

#include "autograd/ops.h"
#include "core/blas.h"
#include "core/check.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

constexpr int64_t query_block = 64;

struct Geometry {
    std::vector<int64_t> offsets;  // (B + 1)
    int64_t heads, longest;
    real scale;  // 1 / sqrt(D)

    // Calls body(head, begin, length) for each head of each sequence, on all threads.
    template <class Body>
    void for_each_head(const Body& body) const {
        const int64_t tasks = (int64_t(offsets.size()) - 1) * heads;
        parallel_chunks(tasks, [&](int64_t task) {
            const size_t b = size_t(task / heads);
            body(task % heads, offsets[b], offsets[b + 1] - offsets[b]);
        });
    }
};

// Scratch for the scores of one block of queries, kept by each thread from call to call.
real* scratch(size_t which, int64_t count) {
    thread_local std::vector<real> buffers[2];
    if (int64_t(buffers[which].size()) < count) {
        buffers[which].resize(size_t(count));
    }
    return buffers[which].data();
}

}  // namespace

Variable attention(const Variable& qkv, const std::vector<int64_t>& offsets, int64_t heads) {
    check(qkv.shape().rank() == 2 && heads > 0 && qkv.shape()[1] % (3 * heads) == 0,
          "attention: expected qkv (N, 3C) with C divisible by {} heads, found {}", heads,
          qkv.shape().str());
    const int64_t N = qkv.shape()[0], C = qkv.shape()[1] / 3, D = C / heads;
    check(offsets.size() >= 1 && offsets.front() == 0 && offsets.back() == N,
          "attention: the offsets of the sequences must go from 0 to {}", N);
    int64_t longest = 0;
    for (size_t b = 0; b + 1 < offsets.size(); ++b) {
        check(offsets[b] <= offsets[b + 1],
              "attention: the offsets must not fall, found {} then {}", offsets[b], offsets[b + 1]);
        longest = std::max(longest, offsets[b + 1] - offsets[b]);
    }
    const Geometry geometry{offsets, heads, longest, 1 / std::sqrt(real(D))};
    const Tensor X = qkv.value(), out = Tensor::empty({N, C}), log_sums = Tensor::empty({heads, N});

    geometry.for_each_head([&](int64_t head, int64_t begin, int64_t T) {
        const real* const q = X.data() + begin * 3 * C + head * D;  // (T, D), leading dimension 3C
        const real* const k = q + C;
        const real* const v = q + 2 * C;
        real* const y = out.data() + begin * C + head * D;         // (T, D), leading dimension C
        real* const log_sum = log_sums.data() + head * N + begin;  // (T)
        real* const S = scratch(0, query_block * longest);
        for (int64_t first = 0; first < T; first += query_block) {
            const int64_t last = std::min(T, first + query_block), rows = last - first;
            // S (rows, last) = q (rows, D) k^T (D, last)
            gemm_serial(Trans::no, Trans::yes, rows, last, D, q + first * 3 * C, 3 * C, k, 3 * C, 0,
                        S, last);
            for (int64_t t = first; t < last; ++t) {
                // p = softmax(scale * s) over the keys 0 .. t, and 0 behind
                real* const p = S + (t - first) * last;
                const real most = largest(p, t + 1);
                const real total = exp_and_sum(p, t + 1, geometry.scale, most);
                log_sum[t] = geometry.scale * most + std::log(total);
                for (int64_t j = 0; j <= t; ++j) {
                    p[j] /= total;
                }
                std::fill(p + t + 1, p + last, real(0));
            }
            // y (rows, D) = p (rows, last) v (last, D)
            gemm_serial(Trans::no, Trans::no, rows, D, last, S, last, v, 3 * C, 0, y + first * C,
                        C);
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
                real* const P = scratch(0, query_block * geometry.longest);
                real* const dS = scratch(1, query_block * geometry.longest);
                for (int64_t first = 0; first < T; first += query_block) {
                    const int64_t last = std::min(T, first + query_block), rows = last - first;
                    // p (rows, last) = exp(scale * q k^T - log_sum), once more
                    gemm_serial(Trans::no, Trans::yes, rows, last, D, q + first * 3 * C, 3 * C, k,
                                3 * C, 0, P, last);
                    // y = p v: dp (rows, last) = dy (rows, D) v^T (D, last), held in dS
                    gemm_serial(Trans::no, Trans::yes, rows, last, D, dy + first * C, C, v, 3 * C,
                                0, dS, last);
                    for (int64_t t = first; t < last; ++t) {
                        real* const p = P + (t - first) * last;
                        real* const ds = dS + (t - first) * last;
                        // p = softmax(scale * s): ds = scale * p * (dp - sum of p dp), and that sum
                        // is the dot product of y and dy
                        const real shared = dot(y + t * C, dy + t * C, D);
                        const real scale = geometry.scale, offset = log_sum[t];
#pragma omp simd
                        for (int64_t j = 0; j <= t; ++j) {
                            p[j] = fast_exp(scale * p[j] - offset);
                            ds[j] = scale * p[j] * (ds[j] - shared);
                        }
                        std::fill(p + t + 1, p + last, real(0));
                        std::fill(ds + t + 1, ds + last, real(0));
                    }
                    // y = p v: dv (last, D) += p^T (last, rows) dy (rows, D)
                    gemm_serial(Trans::yes, Trans::no, last, D, rows, P, last, dy + first * C, C, 1,
                                dv, 3 * C);
                    // s = q k^T: dq (rows, D) += ds (rows, last) k (last, D)
                    gemm_serial(Trans::no, Trans::no, rows, D, last, dS, last, k, 3 * C, 1,
                                dq + first * 3 * C, 3 * C);
                    // s = q k^T: dk (last, D) += ds^T (last, rows) q (rows, D)
                    gemm_serial(Trans::yes, Trans::no, last, D, rows, dS, last, q + first * 3 * C,
                                3 * C, 1, dk, 3 * C);
                }
            });
        });
}

}  // namespace smoe
