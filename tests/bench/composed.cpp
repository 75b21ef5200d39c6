// Attention by whole matrices, and the optimiser pass by pass: what the fused forms are compared
// with, in time.
// Read next: kernels.cpp.
#include "tests/bench/composed.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/blas.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe::bench {
namespace {

// Calls body(head, begin, T, P) for each head of each sequence, on all threads; P is where its
// (T, T) matrix begins in a tensor that holds all of them.
template <class Body>
void for_each_head(const Sequences& sequences, int64_t heads, const Body& body) {
    const std::vector<int64_t>& offsets = sequences.offsets();
    std::vector<int64_t> starts = {0};
    for (size_t b = 0; b + 1 < offsets.size(); ++b) {
        const int64_t T = offsets[b + 1] - offsets[b];
        starts.push_back(starts.back() + heads * T * T);
    }
    parallel_chunks(sequences.count() * heads, [&](int64_t task) {
        const size_t b = size_t(task / heads);
        const int64_t head = task % heads, T = offsets[b + 1] - offsets[b];
        body(head, offsets[b], T, starts[b] + head * T * T);
    });
}

int64_t matrix_elements(const Sequences& sequences, int64_t heads) {
    const std::vector<int64_t>& offsets = sequences.offsets();
    int64_t count = 0;
    for (size_t b = 0; b + 1 < offsets.size(); ++b) {
        const int64_t T = offsets[b + 1] - offsets[b];
        count += heads * T * T;
    }
    return count;
}

}  // namespace

Variable attention_by_matrices(const Variable& qkv, const Sequences& sequences, int64_t heads) {
    const int64_t N = qkv.shape()[0], C = qkv.shape()[1] / 3, D = C / heads;
    const real scale = 1 / std::sqrt(real(D));
    const Tensor X = qkv.value(), out = Tensor::empty({N, C});
    const Tensor all = Tensor::empty({matrix_elements(sequences, heads)});
    for_each_head(sequences, heads, [&](int64_t head, int64_t begin, int64_t T, int64_t start) {
        const real* const q = X.data() + begin * 3 * C + head * D;
        real* const P = all.data() + start;
        // P (T, T) = q k^T
        gemm_serial(Trans::no, Trans::yes, T, T, D, q, 3 * C, q + C, 3 * C, 0, P, T);
        for (int64_t t = 0; t < T; ++t) {
            real* const p = P + t * T;
            std::fill(p + t + 1, p + T, -std::numeric_limits<real>::infinity());
            const real total = exp_and_sum(p, T, scale, largest(p, T));
            for (int64_t j = 0; j < T; ++j) {
                p[j] /= total;
            }
        }
        // y (T, D) = P v
        gemm_serial(Trans::no, Trans::no, T, D, T, P, T, q + 2 * C, 3 * C, 0,
                    out.data() + begin * C + head * D, C);
    });
    return record(
        "attention_by_matrices", out, {qkv},
        [X, all, sequences, heads, C, D, scale](const Tensor& dout, std::span<Tensor* const> din) {
            const Tensor gradients = Tensor::empty(all.shape());
            for_each_head(
                sequences, heads, [&](int64_t head, int64_t begin, int64_t T, int64_t start) {
                    const real* const q = X.data() + begin * 3 * C + head * D;
                    real* const dq = din[0]->data() + begin * 3 * C + head * D;
                    const real* const dy = dout.data() + begin * C + head * D;
                    const real* const P = all.data() + start;
                    real* const dP = gradients.data() + start;
                    // dv (T, D) += P^T dy;  dP (T, T) = dy v^T
                    gemm_serial(Trans::yes, Trans::no, T, D, T, P, T, dy, C, 1, dq + 2 * C, 3 * C);
                    gemm_serial(Trans::no, Trans::yes, T, T, D, dy, C, q + 2 * C, 3 * C, 0, dP, T);
                    for (int64_t t = 0; t < T; ++t) {
                        const real* const p = P + t * T;
                        real* const dp = dP + t * T;
                        const real shared = dot(p, dp, T);
#pragma omp simd
                        for (int64_t j = 0; j < T; ++j) {
                            dp[j] = scale * p[j] * (dp[j] - shared);
                        }
                    }
                    // dq (T, D) += dS k;  dk (T, D) += dS^T q
                    gemm_serial(Trans::no, Trans::no, T, D, T, dP, T, q + C, 3 * C, 1, dq, 3 * C);
                    gemm_serial(Trans::yes, Trans::no, T, D, T, dP, T, q, 3 * C, 1, dq + C, 3 * C);
                });
        });
}

ScheduleFreePasses::ScheduleFreePasses(const Tensor& values, const Tensor& grads,
                                       const OptimizerSettings& settings)
    : Optimizer(values, grads, settings) {
    kept_["z"] = values.clone();
    kept_["v"] = Tensor::zeros(values.shape());
    numbers_ = {{"lr_max", 0}, {"weight_sum", 0}};
}

void ScheduleFreePasses::update(const Part& all) {
    double& lr_max = numbers_.at("lr_max");
    double& weight_sum = numbers_.at("weight_sum");
    lr_max = std::max(lr_max, all.lr);
    weight_sum += lr_max * lr_max;
    const double c_exact = lr_max * lr_max / weight_sum;
    const real c = real(c_exact), lr = real(all.lr), eps = real(settings_.eps);
    const real along = real(all.lr * (settings_.beta1 * (1 - c_exact) - 1));
    const real decay = real(all.weight_decay), beta2 = real(settings_.beta2);
    const real v_scale = real(1 / (1 - std::pow(settings_.beta2, double(steps_) + 1)));
    const Tensor direction = Tensor::empty(values_.shape());
    real* const y = values_.data();
    real* const z = kept_.at("z").data();
    real* const v = kept_.at("v").data();
    real* const d = direction.data();
    const real* const g = grads_.data();
    const auto pass = [&](auto formula) {
        parallel_for(values_.numel(), elementwise_grain, [&](int64_t begin, int64_t end) {
#pragma omp simd
            for (int64_t i = begin; i < end; ++i) {
                formula(i);
            }
        });
    };
    pass([=](int64_t i) { v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i]; });
    pass([=](int64_t i) { d[i] = g[i] / (std::sqrt(v[i] * v_scale) + eps); });
    pass([=](int64_t i) { d[i] += decay * y[i]; });
    pass([=](int64_t i) { y[i] += c * (z[i] - y[i]); });
    pass([=](int64_t i) { y[i] += along * d[i]; });
    pass([=](int64_t i) { z[i] -= lr * d[i]; });
}

}  // namespace smoe::bench
