// Exercise: the load-balancing loss of the Switch Transformer (Fedus, Zoph, Shazeer, 2021, section
// 2.2), a rival of the distribution loss in models/transformer/routers/router_loss.h. For routing r
// (N, K), softmax probabilities, and the experts (N) that were used:
//     f_k = share of the tokens with expert k, a constant      P_k = mean over n of r[n, k]
//     loss = alpha K sum over k of f_k P_k
// A single number that backward can differentiate. Experts that do not fit r are an Error.
// Level 2 of 3, about 30 minutes. Two hints are at the end.
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "core/vector_math.h"
#include "nn/linear.h"
#include "tests/autograd/gradient_check.h"
#include "tests/exercises/exercise.h"

smoe::Variable balance_loss(const smoe::Variable& routing, const smoe::Experts& experts,
                            smoe::real alpha);

using namespace smoe;

namespace {

double loss_of(const Tensor& routing, const Experts& experts, double alpha) {
    return double(balance_loss(Variable(routing), experts, real(alpha)).value().item());
}

}  // namespace

TEST_CASE("balance_loss: values worked out by hand") {
    const Tensor leaning = Tensor::from({4, 2}, {0.75, 0.25, 0.75, 0.25, 0.75, 0.25, 0.75, 0.25});
    // f = (1/4, 3/4), P = (3/4, 1/4)
    expect_close("4 rows (3/4, 1/4), experts 1 1 0 1, alpha 1: the loss",
                 loss_of(leaning, {1, 1, 0, 1}, 1), 2 * (0.1875 + 0.1875), 1e-9);
    expect_close("4 rows (3/4, 1/4), all to expert 0, alpha 0.01: the loss",
                 loss_of(leaning, {0, 0, 0, 0}, 0.01), 0.01 * 2 * 0.75, 1e-9);
    // Even routing costs alpha, all to one expert alpha K: the same for any number of experts.
    expect_close("6 rows (1/3, 1/3, 1/3), two for each expert, alpha 1: the loss",
                 loss_of(Tensor::full({6, 3}, real(1) / 3), {0, 1, 2, 2, 1, 0}, 1), 1, 1e-9);
    expect_close("2 rows (0, 0, 1), all to expert 2, alpha 1: the loss",
                 loss_of(Tensor::from({2, 3}, {0, 0, 1, 0, 0, 1}), {2, 2}, 1), 3, 1e-9);
}

TEST_CASE("balance_loss: the gradient is that of P alone") {
    const Variable routing(Tensor::full({4, 2}, real(0.5)), true);
    backward(balance_loss(routing, {0, 0, 0, 1}, real(0.1)));
    // alpha K f_k / N
    const double often = 0.1 * 2 * 0.75 / 4, seldom = 0.1 * 2 * 0.25 / 4;
    expect_elements("the gradient for 4 rows (1/2, 1/2), experts 0 0 0 1, alpha 0.1",
                    routing.grad(), {often, seldom, often, seldom, often, seldom, often, seldom},
                    1e-9);
    const Op op = [](const std::vector<Variable>& in) {
        return balance_loss(softmax(in[0]), {2, 0, 0, 1, 0}, real(0.3));
    };
    CHECK(gradient_error(op, {random_tensor({5, 3}, 1)}) < gradient_tolerance);
}

TEST_CASE("balance_loss: descending it spreads tokens that all went to one expert") {
    constexpr int64_t N = 120, K = 4;
    const Variable logits(random_tensor({N, K}, 2), true);
    for (int64_t n = 0; n < N; ++n) {
        logits.value().data()[n * K] += 4;
    }
    std::vector<int64_t> count;
    for (int step = 0; step < 1000; ++step) {
        Experts experts;
        count.assign(K, 0);
        for (int64_t n = 0; n < N; ++n) {
            experts.push_back(int32_t(argmax(logits.value().data() + n * K, K)));
            ++count[size_t(experts.back())];
        }
        if (step == 0) {
            CHECK(count[0] == N);
        }
        backward(balance_loss(softmax(logits), experts, 1));
        axpy(N * K, -5, logits.grad().data(), logits.value().data());
        logits.zero_grad();
    }
    for (const int64_t tokens : count) {
        CHECK(tokens >= 27);  // 30 would be even
        CHECK(tokens <= 33);
    }
}

TEST_CASE("balance_loss: labels that do not fit are refused") {
    const Variable routing(Tensor::full({3, 2}, real(0.5)));
    CHECK_THROWS_AS(balance_loss(routing, {0, 1}, 1), Error);
    CHECK_THROWS_AS(balance_loss(routing, {0, 1, 2}, 1), Error);
    CHECK_THROWS_AS(balance_loss(routing, {0, 1, -1}, 1), Error);
}

// Hint 1: only P carries a gradient; f is counted from the labels, which are plain numbers.
// Hint 2: the loss is sum over n and k of (alpha K f_k / N) r[n, k]: one product with a constant
// matrix, and one sum.
