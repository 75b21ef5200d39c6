// One solution of the exercise models_balance.cpp; write your own first.
// Read next: tests/exercises/models_balance.cpp, its test.
#include "autograd/ops.h"
#include "core/check.h"
#include "nn/linear.h"

smoe::Variable balance_loss(const smoe::Variable& routing, const smoe::Experts& experts,
                            smoe::real alpha) {
    using namespace smoe;
    const int64_t N = routing.value().rows(), K = routing.value().cols();
    check(int64_t(experts.size()) == N, "balance_loss: {} labels for {} rows", experts.size(), N);
    std::vector<real> share(size_t(K), 0);  // f
    for (const int32_t expert : experts) {
        check(expert >= 0 && expert < K, "balance_loss: label {} is not in [0, {})", expert, K);
        share[size_t(expert)] += 1 / real(N);
    }
    // loss = sum over n and k of (alpha K f_k / N) r[n, k]
    const Tensor weights = Tensor::empty({N, K});
    for (int64_t i = 0; i < N * K; ++i) {
        weights.data()[i] = alpha * real(K) * share[size_t(i % K)] / real(N);
    }
    return sum(mul(routing, Variable(weights)));
}
