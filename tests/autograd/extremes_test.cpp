// Numbers at the edge: logits far beyond what exp can hold, more of them than are kept, and a NaN
// among other numbers, which must not be lost. The table of ops works with moderate numbers, where
// a softmax that forgets to subtract the maximum is right.
// Read next: tests/nn/module_test.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "tests/autograd/gradient_check.h"

using namespace smoe;

namespace {

bool all_finite(const Tensor& tensor) {
    return std::all_of(tensor.data(), tensor.data() + tensor.numel(),
                       [](real x) { return std::isfinite(x); });
}

bool any_nan(const Tensor& tensor) {
    return std::any_of(tensor.data(), tensor.data() + tensor.numel(),
                       [](real x) { return std::isnan(x); });
}

// The gradient of sum over i of w[i] op(x)[i] for some fixed w.
Tensor gradient(const std::function<Variable(const Variable&)>& op, const Tensor& x) {
    const Variable leaf(x, true);
    const Variable out = op(leaf);
    backward(out, random_tensor(out.shape(), 3));
    return leaf.grad();
}

// x + offset; the offset is a power of two, so that little is rounded away.
Tensor shifted(const Tensor& x, real offset) {
    const Tensor y = x.clone();
    for (real& value : y.values()) {
        value += offset;
    }
    return y;
}

}  // namespace

TEST_CASE("extremes: softmax and cross-entropy do not see a number added to all logits") {
    const Tensor x = random_tensor({4, 9}, 1);
    const auto nll = [](const Variable& logits) { return cross_entropy(logits, {0, 8, 3, 3}); };
    const double tolerance =
        sizeof(real) == 8 ? 1e-10 : 2e-3;  // the rounding of the shifted logits
    for (const real offset : {real(8192), real(-8192)}) {
        const Tensor moved = shifted(x, offset);
        CHECK(difference(softmax(Variable(moved)).value(), softmax(Variable(x)).value()) <
              tolerance);
        CHECK(difference(nll(Variable(moved)).value(), nll(Variable(x)).value()) < tolerance);
        CHECK(difference(gradient(softmax, moved), gradient(softmax, x)) < tolerance);
        CHECK(difference(gradient(nll, moved), gradient(nll, x)) < tolerance);
    }
}

TEST_CASE("extremes: one logit far above the others") {
    const Tensor x = Tensor::from({1, 3}, {5000, -5000, 0});
    const Tensor p = softmax(Variable(x)).value();
    CHECK(p.data()[0] == 1);
    CHECK(p.data()[1] == 0);
    CHECK(cross_entropy(Variable(x), {0}).value().item() == 0);
    CHECK(cross_entropy(Variable(x), {1}).value().item() == 10000);
    const Tensor dx = gradient([](const Variable& in) { return cross_entropy(in, {1}); }, x);
    CHECK(all_finite(dx));
    CHECK(std::abs(dx.data()[0] + dx.data()[1]) == 0);
    CHECK(dx.data()[2] == 0);
}

TEST_CASE("extremes: attention with scores in the thousands looks at one position") {
    // Two positions, one head of size 1: q, k, v in a row.
    const Tensor qkv = Tensor::from({2, 3}, {1, 50, 7, 200, -50, 9});
    const auto op = [](const Variable& in) { return attention(in, Sequences::of({0, 0}), 1); };
    const Tensor out = op(Variable(qkv)).value();
    CHECK(out.data()[0] == 7);
    CHECK(out.data()[1] == 7);  // scores 10000 and -10000
    CHECK(all_finite(gradient(op, qkv)));
    qkv.data()[3] = -200;
    CHECK(op(Variable(qkv)).value().data()[1] == 9);
}

TEST_CASE("extremes: attention never looks ahead, nor into another sequence") {
    const Sequences sequences(std::vector<int32_t>(100), {0, 70, 100});
    const Tensor qkv = random_tensor({100, 12}, 5);
    const Tensor before = attention(Variable(qkv), sequences, 2).value();
    for (const int64_t changed : {0, 40, 69, 70, 99}) {
        const Tensor other = qkv.clone();
        std::fill_n(other.data() + changed * 12, 12, real(1.5));
        const Tensor after = attention(Variable(other), sequences, 2).value();
        const int64_t end = changed < 70 ? 70 : 100;
        for (int64_t t = 0; t < 100; ++t) {
            const bool same =
                std::equal(after.data() + 4 * t, after.data() + 4 * t + 4, before.data() + 4 * t);
            CAPTURE(changed);
            CAPTURE(t);
            CHECK(same == !(t >= changed && t < end));
        }
    }
}

TEST_CASE("extremes: layer_norm of a constant row is its bias, and its gradient is finite") {
    const Variable weight(random_tensor({6}, 1)), bias(random_tensor({6}, 2));
    const auto op = [&](const Variable& x) { return layer_norm(x, weight, bias); };
    for (const real level : {real(0), real(1024), real(-3)}) {
        const Tensor x = Tensor::full({1, 6}, level);
        CHECK(difference(op(Variable(x)).value().reshape({6}), bias.value()) < 1e-6);
        CHECK(all_finite(gradient(op, x)));
    }
}

TEST_CASE("extremes: NaN in an input stays visible in the value and in the gradient") {
    const std::pair<std::string, std::function<Variable(const Variable&)>> ops[] = {
        {"mul", [](const Variable& x) { return mul(x, x); }},
        {"tanh", [](const Variable& x) { return tanh(x); }},
        {"softmax", [](const Variable& x) { return softmax(x); }},
        {"layer_norm",
         [](const Variable& x) {
             return layer_norm(x, Variable(Tensor::full({6}, 1)), Variable(Tensor::zeros({6})));
         }},
        {"matmul", [](const Variable& x) { return matmul(x, x); }},
        {"attention",
         [](const Variable& x) {
             return attention(x, Sequences::of(std::vector<int32_t>(6)), 1);
         }},
        {"cross_entropy", [](const Variable& x) {
             return cross_entropy(x, {0, 1, 2, 3, 4, 5});
         }}};
    for (const auto& row : ops) {
        const auto& op = row.second;
        CAPTURE(row.first);
        for (const int64_t place : {0, 8, 35}) {
            const Tensor x = random_tensor({6, 6}, 4);
            x.data()[place] = std::numeric_limits<real>::quiet_NaN();
            CHECK(any_nan(op(Variable(x)).value()));
            CHECK(any_nan(gradient(op, x)));
        }
    }
    const Tensor x = Tensor::full({3}, std::numeric_limits<real>::quiet_NaN());
    CHECK(any_nan(scale(Variable(x), 0).value()));
    CHECK(all_finite(gradient(relu, x)));  // where it is not known to be 0, the gradient goes on
    CHECK(!(gradient(relu, x).data()[0] == 0));
}

TEST_CASE("extremes: more logits than linear_cross_entropy keeps give what kept ones give") {
    const int64_t N = 2100, C = 4, V = 2000;  // 4.2 million logits, in three chunks of rows
    std::vector<int32_t> targets;
    for (int64_t n = 0; n < N; ++n) {
        targets.push_back(int32_t(n * 7 % V));
    }
    const Tensor X = random_tensor({N, C}, 1), W = random_tensor({V, C}, 2);
    const auto run = [&](bool at_once) {
        const Variable x(X, true), weight(W, true);
        const Variable losses = at_once ? linear_cross_entropy(x, weight, targets)
                                        : cross_entropy(linear(x, weight), targets);
        backward(losses, random_tensor({N}, 3));
        return std::vector<Tensor>{losses.value(), x.grad(), weight.grad()};
    };
    const std::vector<Tensor> chunks = run(true), whole = run(false);
    for (size_t i = 0; i < whole.size(); ++i) {
        CHECK(difference(chunks[i], whole[i]) < (sizeof(real) == 8 ? 1e-12 : 1e-5));
    }
}
