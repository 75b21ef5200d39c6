// Losses: the cross-entropy of each row, and the mean squared error. Cross-entropy starts from
// logits, or from the rows that are projected to logits. In the second form the logits of a large
// batch never exist all at once: they are made for some rows at a time, and again in backward.
// Read next: nn/linear.h, the first layer.
#include <algorithm>
#include <cmath>

#include "autograd/autocast.h"
#include "autograd/ops.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/inputs.h"
#include "core/blas.h"
#include "core/check.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

namespace {

// linear_cross_entropy keeps up to `few` logits (16 MiB) for backward. If there are more, only
// `chunk` rows of them exist at once.
constexpr int64_t few = 1 << 22, chunk = 1024;

// log(sum of exp(row)), taken from the largest, so that no exp overflows
real log_sum_exp(const real* row, int64_t V) {
    const real most = largest(row, V);
    real total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t v = 0; v < V; ++v) {
        total += fast_exp(row[v] - most);
    }
    return most + std::log(total);
}

// dx = or += g * (softmax(row) - one_hot(target)); dx may be row
template <bool accumulate>
void cross_entropy_backward(const real* row, int64_t V, real log_sum, int32_t target, real g,
                            real* dx) {
#pragma omp simd
    for (int64_t v = 0; v < V; ++v) {
        const real d = g * fast_exp(row[v] - log_sum);
        dx[v] = accumulate ? dx[v] + d : d;
    }
    dx[target] -= g;
}

}  // namespace

Variable cross_entropy(const Variable& logits, const std::vector<int32_t>& targets) {
    const int64_t N = logits.value().rows(), V = logits.value().cols();
    check(logits.shape().rank() == 2, "cross_entropy: expected logits of shape (N, V), found {}",
          logits.shape().str());
    check_ids("cross_entropy", "target", targets, N, V);
    const Tensor L = logits.value(), out = Tensor::empty({N}), log_sums = Tensor::empty({N});
    parallel_for(N, row_grain(V), [&](int64_t begin, int64_t end) {
        for (int64_t n = begin; n < end; ++n) {
            // out = log(sum of exp(logits)) - logits[target]
            const real* const row = L.data() + n * V;
            log_sums.data()[n] = log_sum_exp(row, V);
            out.data()[n] = log_sums.data()[n] - row[targets[size_t(n)]];
        }
    });
    return record("cross_entropy", out, {logits},
                  [L, log_sums, targets, N, V](const Tensor& dout, std::span<Tensor* const> din) {
                      // dlogits = dout * (softmax(logits) - one_hot(target))
                      parallel_for(N, row_grain(V), [&](int64_t begin, int64_t end) {
                          for (int64_t n = begin; n < end; ++n) {
                              cross_entropy_backward<true>(L.data() + n * V, V, log_sums.data()[n],
                                                           targets[size_t(n)], dout.data()[n],
                                                           din[0]->data() + n * V);
                          }
                      });
                  });
}

bool keeps_logits(int64_t N, int64_t V) {
    return N * V <= few;
}

Variable linear_cross_entropy(const Variable& x, const Variable& weight,
                              const std::vector<int32_t>& targets) {
    check(x.shape().rank() == 2 && weight.shape().rank() == 2 && x.shape()[1] == weight.shape()[1],
          "linear_cross_entropy: expected x (N, C) and weight (V, C), found {} and {}",
          x.shape().str(), weight.shape().str());
    const int64_t N = x.shape()[0], C = x.shape()[1], V = weight.shape()[0];
    check_ids("linear_cross_entropy", "target", targets, N, V);
    const Tensor X = x.value(), W = weight.value();
    const Tensor out = Tensor::empty({N}), log_sums = Tensor::empty({N});

    const Precision precision = Autocast::precision();
    const Tensor kept = keeps_logits(N, V) ? Tensor::empty({N, V}) : Tensor();
    // Calls body(first, rows, logits) with the logits (rows, V) of rows first .. first + rows - 1.
    const auto for_each_chunk = [X, W, N, C, V, kept, precision](bool forward, const auto& body) {
        const Tensor logits = kept.defined() ? kept : Tensor::empty({std::min(chunk, N), V});
        const int64_t most = logits.size(0);
        for (int64_t first = 0; first < N; first += most) {
            const int64_t rows = std::min(most, N - first);
            if (forward || !kept.defined()) {  // logits (rows, V) = x (rows, C) weight^T (C, V)
                gemm(Trans::no, Trans::yes, rows, V, C, X.data() + first * C, C, W.data(), C, 0,
                     logits.data(), V, precision);
            }
            body(first, rows, logits.data());
        }
    };
    for_each_chunk(true, [&](int64_t first, int64_t rows, const real* logits) {
        parallel_for(rows, row_grain(V), [&](int64_t begin, int64_t end) {
            for (int64_t r = begin; r < end; ++r) {
                const int64_t n = first + r;
                const real* const row = logits + r * V;
                log_sums.data()[n] = log_sum_exp(row, V);
                out.data()[n] = log_sums.data()[n] - row[targets[size_t(n)]];
            }
        });
    });
    return record(
        "linear_cross_entropy", out, {x, weight},
        [X, W, log_sums, targets, for_each_chunk, precision, C, V](const Tensor& dout,
                                                                   std::span<Tensor* const> din) {
            for_each_chunk(false, [&](int64_t first, int64_t rows, real* logits) {
                // dlogits = dout * (softmax(logits) - one_hot(target)), in their place
                parallel_for(rows, row_grain(V), [&](int64_t begin, int64_t end) {
                    for (int64_t r = begin; r < end; ++r) {
                        const int64_t n = first + r;
                        real* const row = logits + r * V;
                        cross_entropy_backward<false>(row, V, log_sums.data()[n],
                                                      targets[size_t(n)], dout.data()[n], row);
                    }
                });
                if (din[0] != nullptr) {  // dx (rows, C) += dlogits (rows, V) weight (V, C)
                    gemm(Trans::no, Trans::no, rows, C, V, logits, V, W.data(), C, 1,
                         din[0]->data() + first * C, C, precision);
                }
                if (din[1] != nullptr) {  // dweight (V, C) += dlogits^T (V, rows) x (rows, C)
                    gemm(Trans::yes, Trans::no, V, C, rows, logits, V, X.data() + first * C, C, 1,
                         din[1]->data(), C, precision);
                }
            });
        });
}

Variable mse_loss(const Variable& x, const Variable& target) {
    check_defined("mse_loss", x);
    check_defined("mse_loss", target);
    check(x.shape() == target.shape(), "mse_loss: shapes must be equal, found {} and {}",
          x.shape().str(), target.shape().str());
    const int64_t count = x.shape().numel();
    check(count > 0, "mse_loss: shape {} has no elements", x.shape().str());
    const Tensor X = x.value(), T = target.value();
    const Tensor partial = Tensor::empty({(count + elementwise_grain - 1) / elementwise_grain});
    parallel_for(count, elementwise_grain, [&](int64_t begin, int64_t end) {
        const real* const a = X.data();
        const real* const t = T.data();
        real square = 0;
#pragma omp simd reduction(+ : square)
        for (int64_t i = begin; i < end; ++i) {
            square += (a[i] - t[i]) * (a[i] - t[i]);
        }
        partial.data()[begin / elementwise_grain] = square;
    });
    // out = mean of (x - target)^2
    const Tensor out = Tensor::full({}, sum(partial.data(), partial.numel()) / real(count));
    return record(
        "mse_loss", out, {x, target},
        [X, T, count](const Tensor& dout, std::span<Tensor* const> din) {
            // dx = dout * 2 (x - target) / count, dtarget = -dx
            for (size_t input = 0; input < 2; ++input) {
                if (din[input] != nullptr) {
                    const real factor = (input == 0 ? 2 : -2) * dout.item() / real(count);
                    for_each(count, [factor, dx = din[input]->data(), a = X.data(),
                                     t = T.data()](int64_t i) { dx[i] += factor * (a[i] - t[i]); });
                }
            }
        });
}

}  // namespace smoe
