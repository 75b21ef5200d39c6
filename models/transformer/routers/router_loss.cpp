// The two objectives, composed from ops. Only r[e] is a Variable; everything it is compared with is
// constant.
// Read next: models/training/trainer.cpp, where they are walked.
#include "models/transformer/routers/router_loss.h"

#include <algorithm>

#include "autograd/ops.h"
#include "core/check.h"

namespace smoe {

RouterLosses router_losses(const Variable& routing, const Experts& experts, const Tensor& losses,
                           const std::vector<int32_t>& positions) {
    const int64_t N = routing.value().rows(), K = routing.value().cols();
    check(N > 0 && losses.numel() == N && int64_t(positions.size()) == N,
          "router_losses: {} rows of routing need as many losses and positions, found {} and {}", N,
          losses.numel(), positions.size());

    // worse = how much more a token loses than the average token at its position. Late tokens are
    // easier, and their experts deserve no credit for that.
    const size_t length = size_t(*std::max_element(positions.begin(), positions.end())) + 1;
    std::vector<double> total(length, 0), count(length, 0);
    for (int64_t n = 0; n < N; ++n) {
        total[size_t(positions[size_t(n)])] += losses.data()[n];
        count[size_t(positions[size_t(n)])] += 1;
    }
    const Tensor worse = Tensor::empty({N});
    for (int64_t n = 0; n < N; ++n) {
        const size_t t = size_t(positions[size_t(n)]);
        worse.data()[n] = real(std::max(0.0, losses.data()[n] - total[t] / count[t]));
    }
    const Variable own = pick(routing, experts);  // r[e], (N)
    const Variable wrong = mul(Variable(worse), own);
    const Variable correctness = scale(mean(mul(wrong, wrong)), 10);

    // shortage[e] = 1 - (tokens of expert e) / (its share): the target lies above r[e] for experts
    // that get too few, below for those that get too many.
    const double share = double(N) / double(K);
    std::vector<double> shortage(size_t(K), 1);
    for (const int32_t expert : experts) {
        shortage[size_t(expert)] -= 1 / share;
    }
    const Tensor target = Tensor::empty({N});
    for (int64_t n = 0; n < N; ++n) {
        target.data()[n] = std::clamp<real>(
            own.value().data()[n] + real(shortage[size_t(experts[size_t(n)])]), 0, 1);
    }
    const Variable gap = sub(own, Variable(target));
    const Variable distribution = scale(sum(mul(gap, gap)), real(5000) / real(N));
    return {correctness, distribution};
}

}  // namespace smoe
