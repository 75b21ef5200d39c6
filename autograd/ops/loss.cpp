// Cross-entropy of each row, straight from the logits.
#include <cmath>

#include "autograd/ops.h"
#include "core/check.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

Variable cross_entropy(const Variable& logits, const std::vector<int32_t>& targets) {
    const int64_t N = logits.value().rows(), V = logits.value().cols();
    check(logits.shape().rank() == 2 && int64_t(targets.size()) == N,
          "cross_entropy: expected logits (N, V) and N targets, found {} and {}",
          logits.shape().str(), targets.size());
    for (const int32_t target : targets) {
        check(target >= 0 && target < V, "cross_entropy: target {} is not in [0, {})", target, V);
    }
    const Tensor L = logits.value(), out = Tensor::empty({N}), log_sums = Tensor::empty({N});
    parallel_for(N, row_grain(V), [&](int64_t begin, int64_t end) {
        for (int64_t n = begin; n < end; ++n) {
            const real* const row = L.data() + n * V;
            const real most = largest(row, V);
            real total = 0;
#pragma omp simd reduction(+ : total)
            for (int64_t v = 0; v < V; ++v) {
                total += fast_exp(row[v] - most);
            }
            // out = log(sum of exp(logits)) - logits[target]
            log_sums.data()[n] = most + std::log(total);
            out.data()[n] = log_sums.data()[n] - row[targets[size_t(n)]];
        }
    });
    return record("cross_entropy", out, {logits},
                  [L, log_sums, targets, N, V](const Tensor& dout, std::span<Tensor* const> din) {
                      // dlogits = dout * (softmax(logits) - one_hot(target))
                      parallel_for(N, row_grain(V), [&](int64_t begin, int64_t end) {
                          for (int64_t n = begin; n < end; ++n) {
                              const real* const row = L.data() + n * V;
                              const real g = dout.data()[n], log_sum = log_sums.data()[n];
                              real* const dx = din[0]->data() + n * V;
#pragma omp simd
                              for (int64_t v = 0; v < V; ++v) {
                                  dx[v] += g * fast_exp(row[v] - log_sum);
                              }
                              dx[targets[size_t(n)]] -= g;
                          }
                      });
                  });
}

}  // namespace smoe
