// + - * / on Variables and plain numbers: what each gives, and which op it records.
// Read next: engine_test.cpp.
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"

using namespace smoe;

namespace {

using Reals = std::vector<real>;

Reals values(const Tensor& tensor) {
    return {tensor.values().begin(), tensor.values().end()};
}

}  // namespace

TEST_CASE("operators: each is the op of its name, and a number stands for a tensor full of it") {
    const Variable x(Tensor::from({2, 2}, {1, 2, 4, -8}), true);
    const Variable y(Tensor::from({2}, {2, -4}), true);
    struct Row {
        Variable result;
        std::string op;
        Reals value, dx;  // dx: the gradient of the sum
    };
    const Row rows[] = {{x + y, "add", {3, -2, 6, -12}, {1, 1, 1, 1}},
                        {x - y, "sub", {-1, 6, 2, -4}, {1, 1, 1, 1}},
                        {x * y, "mul", {2, -8, 8, 32}, {2, -4, 2, -4}},
                        {x / y, "div", {0.5, -0.5, 2, 2}, {0.5, -0.25, 0.5, -0.25}},
                        {x + 3, "add", {4, 5, 7, -5}, {1, 1, 1, 1}},
                        {x - 3, "sub", {-2, -1, 1, -11}, {1, 1, 1, 1}},
                        {x * 3, "scale", {3, 6, 12, -24}, {3, 3, 3, 3}},
                        {x / 4, "div", {0.25, 0.5, 1, -2}, {0.25, 0.25, 0.25, 0.25}},
                        {3 + x, "add", {4, 5, 7, -5}, {1, 1, 1, 1}},
                        {3 - x, "sub", {2, 1, -1, 11}, {-1, -1, -1, -1}},
                        {3 * x, "scale", {3, 6, 12, -24}, {3, 3, 3, 3}},
                        {8 / x, "div", {8, 4, 2, -1}, {-8, -2, -0.5, -0.125}},
                        {-x, "neg", {-1, -2, -4, 8}, {-1, -1, -1, -1}}};
    for (const Row& row : rows) {
        CAPTURE(row.op);
        CHECK(graph_names(row.result) == std::vector<std::string>{row.op});
        CHECK(values(row.result.value()) == row.value);
        backward(sum(row.result));
        CHECK(values(x.grad()) == row.dx);
        x.zero_grad();
    }
    CHECK((x / 3).value().data()[0] == real(1) / real(3));  // divided, not multiplied by 0.333
}

TEST_CASE("operators: a bias gets the sum over the dims that it lacks") {
    const Variable x(Tensor::from({3, 2}, {1, 2, 3, 4, 5, 6}), true);
    const Variable bias(Tensor::from({2}, {10, 20}), true), factor(Tensor::full({}, 2), true);
    const Variable y = (x + bias) * factor;
    CHECK(values(y.value()) == Reals{22, 44, 26, 48, 30, 52});
    backward(sum(y));
    CHECK(values(x.grad()) == Reals{2, 2, 2, 2, 2, 2});
    CHECK(values(bias.grad()) == Reals{6, 6});
    CHECK(values(factor.grad()) == Reals{11 + 22 + 13 + 24 + 15 + 26});
}

TEST_CASE("operators: shapes that do not fit are refused, with both of them in the message") {
    const Variable x(Tensor::zeros({2, 3})), column(Tensor::zeros({2, 1})), row(Tensor::zeros({3}));
    CHECK_THROWS_WITH_AS(x + column, doctest::Contains("found (2, 3) and (2, 1)"), Error);
    CHECK_THROWS_WITH_AS(row / x, doctest::Contains("found (3) and (2, 3)"), Error);
    const std::vector<std::function<Variable()>> undefined = {
        [&] { return x + Variable(); }, [&] { return Variable() - x; },
        [] { return Variable() * 2; },  [] { return 2 / Variable(); },
        [] { return 2 - Variable(); },  [] { return -Variable(); }};
    for (const auto& call : undefined) {
        CHECK_THROWS_WITH_AS(call(), doctest::Contains("undefined"), Error);
    }
}
