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
    using Ops = std::vector<std::pair<std::string, std::function<Variable(const Variable&)>>>;
    const Variable ones(Tensor::full({6}, 1)), zeros(Tensor::zeros({6}));
    const Ops ops = {
        {"add", [](const Variable& x) { return add(mul(x, x), x); }},
        {"mul", [](const Variable& x) { return mul(x, x); }},
        {"mul, broadcast", [](const Variable& x) { return mul(x, sum(x)); }},
        {"div", [](const Variable& x) { return div(x, x); }},
        {"div, broadcast", [](const Variable& x) { return div(x, sum(x, 0)); }},
        {"tanh", [](const Variable& x) { return tanh(x); }},
        {"exp", [](const Variable& x) { return exp(x); }},
        {"log", [](const Variable& x) { return log(mul(x, x)); }},
        {"sqrt", [](const Variable& x) { return sqrt(mul(x, x)); }},
        {"sigmoid", [](const Variable& x) { return sigmoid(x); }},
        {"silu", [](const Variable& x) { return silu(x); }},
        {"gelu", [](const Variable& x) { return gelu(x); }},
        {"mean of a dim", [](const Variable& x) { return mul(mean(x, 0), sum(x, 1)); }},
        {"softmax", [](const Variable& x) { return softmax(x); }},
        {"layer_norm", [=](const Variable& x) { return layer_norm(x, ones, zeros); }},
        {"rms_norm", [=](const Variable& x) { return rms_norm(x, ones); }},
        {"matmul", [](const Variable& x) { return matmul(x, x); }},
        {"transpose", [](const Variable& x) { return mul(x, transpose(x, 0, 1)); }},
        {"cat",
         [](const Variable& x) {
             return exp(cat({x, x}, 0));
         }},
        {"attention",
         [](const Variable& x) { return attention(x, Sequences::of(std::vector<int32_t>(6)), 1); }},
        {"cross_entropy",
         [](const Variable& x) {
             return cross_entropy(x, {0, 1, 2, 3, 4, 5});
         }},
        {"mse_loss", [](const Variable& x) { return mse_loss(x, x); }}};
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

TEST_CASE("extremes: the largest of equals is the first, and NaN is the largest of all") {
    const real nan = std::numeric_limits<real>::quiet_NaN();
    const real infinity = std::numeric_limits<real>::infinity();
    const Tensor x = Tensor::from({5, 3}, {1, 7, 7,           //
                                           -5, -5, -5,        //
                                           nan, 9, nan,       //
                                           9, nan, infinity,  //
                                           -infinity, -infinity, -infinity});
    const Variable rows(x, true), columns(transpose(Variable(x), 0, 1).value(), true);
    const Tensor by_row = max(rows, 1).value(), by_column = max(columns, 0).value();
    backward(sum(max(rows, 1)));
    backward(sum(max(columns, 0)));
    const std::vector<real> largest = {7, -5, nan, nan, -infinity};
    const int64_t place[] = {1, 0, 0, 1, 0};
    for (int64_t n = 0; n < 5; ++n) {
        CAPTURE(n);
        const real expected = largest[size_t(n)];
        for (const real value : {by_row.data()[n], by_column.data()[n]}) {
            CHECK((value == expected || (std::isnan(value) && std::isnan(expected))));
        }
        for (int64_t c = 0; c < 3; ++c) {
            CHECK(rows.grad().data()[n * 3 + c] == (c == place[n] ? 1 : 0));
            CHECK(columns.grad().data()[c * 5 + n] == (c == place[n] ? 1 : 0));
        }
    }
}

TEST_CASE("extremes: functions of one number far out, where e^x is more than a number can hold") {
    const real infinity = std::numeric_limits<real>::infinity();
    const Tensor x = Tensor::from({4}, {2000, -2000, 30, -30});
    const auto values = [&](Variable (*op)(const Variable&)) {
        const Tensor y = op(Variable(x)).value();
        return std::vector<real>{y.values().begin(), y.values().end()};
    };
    for (const auto& op : {sigmoid, silu, gelu, static_cast<Variable (*)(const Variable&)>(tanh)}) {
        CHECK(all_finite(op(Variable(x)).value()));
        CHECK(all_finite(gradient(op, x)));
    }
    CHECK(values(sigmoid)[0] == 1);
    CHECK(values(sigmoid)[1] == 0);
    CHECK(double(values(sigmoid)[3]) == doctest::Approx(std::exp(-30.0)).epsilon(1e-5));
    CHECK(values(silu)[0] == 2000);
    CHECK(values(silu)[1] == 0);
    CHECK(values(gelu)[0] == 2000);
    CHECK(values(gelu)[1] == 0);
    // Where 1 + erf(x / sqrt(2)) would be 0 in float and has few digits in double.
    const double tail = gelu(Variable(Tensor::full({1}, -7))).value().item();
    CHECK(tail == doctest::Approx(-7 * 1.279812543885835e-12).epsilon(1e-5));
    CHECK(values(exp)[0] == infinity);
    CHECK(values(exp)[1] == 0);
    CHECK(log(Variable(Tensor::zeros({1}))).value().item() == -infinity);
    CHECK(std::isnan(log(Variable(Tensor::full({1}, -1))).value().item()));
    CHECK(std::isnan(sqrt(Variable(Tensor::full({1}, -1))).value().item()));
    CHECK(std::abs(
              gradient([](const Variable& in) { return sqrt(in); }, Tensor::zeros({1})).item()) ==
          infinity);
    const Tensor zero_by = Tensor::from({2}, {1, 0});
    const Tensor quotient = div(Variable(zero_by), Variable(Tensor::zeros({}))).value();
    CHECK(quotient.data()[0] == infinity);
    CHECK(std::isnan(quotient.data()[1]));
}

TEST_CASE("extremes: rms_norm of a row of zeros is 0, and its gradient is finite") {
    const Variable weight(random_tensor({6}, 1));
    const auto op = [&](const Variable& x) { return rms_norm(x, weight); };
    const Tensor x = Tensor::zeros({1, 6});
    CHECK(difference(op(Variable(x)).value(), x) == 0);
    CHECK(all_finite(gradient(op, x)));
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
