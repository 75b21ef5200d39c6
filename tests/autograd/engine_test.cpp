// The walk: order, sums over paths, depth, what it frees and what it refuses.
// The rules of the ops have their own table; here they only serve to build graphs.
//
// Read next: graph_test.cpp, on leaves and recording.
#include "autograd/engine.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops.h"
#include "core/check.h"
#include "tests/autograd/gradient_check.h"

using namespace smoe;

namespace {

Variable leaf(std::initializer_list<real> values) {
    return Variable(Tensor::from({int64_t(values.size())}, values), true);
}

std::vector<real> values(const Tensor& tensor) {
    return {tensor.values().begin(), tensor.values().end()};
}

std::vector<real> grad(const Variable& variable) {
    return values(variable.grad());
}

using Reals = std::vector<real>;

}  // namespace

TEST_CASE("engine: a diamond sums over both paths, and walks what is shared once") {
    const Variable x = leaf({2, -3});
    const Variable shared = mul(x, x);                               // x^2
    const Variable left = scale(shared, 3), right = mul(shared, x);  // 3 x^2, x^3
    backward(sum(add(left, right)));
    CHECK(grad(x) == Reals{6 * 2 + 3 * 4, 6 * -3 + 3 * 9});
}

TEST_CASE("engine: diamonds on diamonds take linear time") {
    const Variable x = leaf({1});
    Variable y = x;
    for (int i = 0; i < 60; ++i) {  // 2^60 paths
        y = scale(add(y, y), real(0.5));
    }
    backward(y);
    CHECK(grad(x) == Reals{1});
    CHECK(y.value().item() == 1);
}

TEST_CASE("engine: inputs made in any order, and unused results, do not disturb") {
    const Variable x = leaf({3}), z = leaf({5});
    const Variable late = scale(x, 2), early = scale(z, 7), unused = mul(x, z);
    const Variable root = mul(early, mul(late, x));  // 14 z x^2
    backward(root);
    CHECK(grad(x) == Reals{28 * 5 * 3});
    CHECK(grad(z) == Reals{14 * 9});
    CHECK(unused.value().item() == 15);
}

TEST_CASE("engine: a chain of 100,000 ops needs no stack, walked or not") {
    const Variable x = leaf({1});
    constexpr int length = 100000;
    const auto chain = [&] {
        Variable y = x;
        for (int i = 0; i < length; ++i) {
            y = scale(y, i % 2 ? real(2) : real(0.5));
        }
        return y;
    };
    const int64_t before = memory_use().live;
    {
        const Variable y = chain();
        CHECK(graph_names(y).size() == length);
        backward(y);
        CHECK(grad(x) == Reals{1});
    }
    chain();                                  // destroyed without a walk
    CHECK(memory_use().live == before + 64);  // the gradient of x
}

TEST_CASE("engine: a wide result of 100,000 inputs that share a leaf") {
    const Variable x = leaf({1});
    Variable total = scale(x, 1);
    for (int i = 1; i < 100000; ++i) {
        total = add(total, x);
    }
    backward(total);
    CHECK(grad(x) == Reals{100000});
}

TEST_CASE("engine: the walk consumes the graph, and a second one says so") {
    const Variable x = leaf({2});
    const Variable y = mul(x, x), z = scale(y, 3);
    backward(z);
    CHECK_THROWS_WITH_AS(backward(z), doctest::Contains("'scale' was walked before"), Error);
    CHECK_THROWS_WITH_AS(backward(y), doctest::Contains("'mul' was walked before"), Error);
    CHECK(grad(x) == Reals{12});
}

TEST_CASE("engine: a refused walk leaves every gradient as it was") {
    const Variable x = leaf({2});
    const Variable y = mul(x, x);
    backward(y);
    const Variable root = add(scale(x, 10), scale(y, 3));  // half of it can still be walked
    const int64_t live = memory_use().live;
    CHECK_THROWS_AS(backward(root), Error);
    CHECK(grad(x) == Reals{4});
    CHECK(memory_use().live == live);
}

TEST_CASE("engine: roots that cannot be walked") {
    const Variable x = leaf({1, 2, 3}), constant(Tensor::full({}, 1));
    CHECK_THROWS_WITH_AS(backward(scale(x, 2)), doctest::Contains("(3)"), Error);
    CHECK_THROWS_WITH_AS(backward(sum(constant)), doctest::Contains("requires no gradient"), Error);
    CHECK_THROWS_AS(backward(Variable()), Error);
    CHECK_THROWS_WITH_AS(backward(scale(x, 2), Tensor::zeros({2})), doctest::Contains("(2)"),
                         Error);
    CHECK_THROWS_AS(backward(scale(x, 2), Tensor::zeros({1, 3})), Error);
    CHECK_THROWS_AS(backward(sum(x), Tensor()), Error);
    CHECK(!x.grad().defined());
}

TEST_CASE("engine: any root with an upstream gradient, which is left as it was") {
    const Variable x = leaf({1, 2, 3});
    const Tensor droot = Tensor::from({3}, {1, 0, -2});
    backward(mul(x, x), droot);
    CHECK(grad(x) == Reals{2, 0, -12});
    CHECK(values(droot) == Reals{1, 0, -2});
    // Shape (1) counts as a single number as well.
    const Variable y = leaf({4});
    backward(mul(y, y));
    CHECK(grad(y) == Reals{8});
}

TEST_CASE("engine: a leaf may be the root") {
    const Variable x = leaf({5});
    backward(x);
    backward(x, Tensor::from({1}, {2}));
    CHECK(grad(x) == Reals{3});
    CHECK(graph_names(x).empty());
}

TEST_CASE("engine: gradients accumulate until they are set to zero") {
    const Variable x = leaf({1, -2});
    for (int pass = 1; pass <= 3; ++pass) {
        backward(sum(mul(x, x)));
        CHECK(grad(x) == Reals{real(pass) * 2, real(pass) * -4});
    }
    x.zero_grad();
    CHECK(grad(x) == Reals{0, 0});
    backward(sum(x));
    CHECK(grad(x) == Reals{1, 1});
}

TEST_CASE("engine: two graphs over one leaf are walked independently, in any order") {
    const Variable x = leaf({3});
    const Variable first = scale(x, 2), second = mul(x, x);
    backward(second);
    CHECK(grad(x) == Reals{6});
    backward(first);
    CHECK(grad(x) == Reals{8});
}

TEST_CASE("engine: no gradient flows into constants, nor through them") {
    const Variable x = leaf({2}), constant(Tensor::from({1}, {7}));
    const Variable cut(mul(x, x).value());  // the value alone: a constant
    backward(mul(add(x, constant), cut));
    CHECK(grad(x) == Reals{4});
    CHECK(!constant.requires_grad());
    CHECK(!cut.requires_grad());
}

TEST_CASE("engine: gradients on the way and captured tensors are freed by the walk itself") {
    constexpr int64_t count = 1 << 16, bytes = count * int64_t(sizeof(real));
    const Variable x(Tensor::full({count}, real(0.5)), true);
    const int64_t before = memory_use().live;
    Variable root = x;
    for (int i = 0; i < 20; ++i) {
        root = tanh(root);  // captures its result
    }
    root = sum(root);
    CHECK(memory_use().live >= before + 20 * bytes);
    reset_peak();
    const int64_t at_start = memory_use().live;
    backward(root);
    // Left: the gradient of x and the single number of the root, which is still alive.
    CHECK(memory_use().live <= before + bytes + 64);
    CHECK(memory_use().live >= before + bytes);
    // Two gradients at a time, not twenty: that of a node's result and that of its input.
    CHECK(memory_use().peak <= at_start + 2 * bytes + 1024);
    CHECK(std::isfinite(root.value().item()));
}

TEST_CASE("engine: graph_names tells the ops in the order in which they were recorded") {
    const Variable x = leaf({1, 2}), constant(Tensor::from({2}, {1, 1}));
    const Variable a = scale(x, 2), b = mul(a, x), c = add(b, a), d = sum(c);
    CHECK(graph_names(d) == std::vector<std::string>{"scale", "mul", "add", "sum"});
    CHECK(graph_names(b) == std::vector<std::string>{"scale", "mul"});
    CHECK(graph_names(add(constant, constant)).empty());
    CHECK(graph_names(Variable()).empty());
    CHECK(graph_names(mul(x, scale(constant, 2))) == std::vector<std::string>{"mul"});
    // Telling them does not consume the graph.
    backward(d);
    CHECK(grad(x) == Reals{6, 10});
}

TEST_CASE("engine: a composed function of many ops has the right gradient") {
    const Op network = [](const std::vector<Variable>& in) {
        const Variable hidden = tanh(linear(in[0], in[1], in[2]));
        const Variable normal = layer_norm(add(hidden, in[0]), in[3], in[2]);
        return cross_entropy(matmul(mul(normal, softmax(hidden)), in[1]), {2, 0, 3, 1, 1});
    };
    const std::vector<Tensor> inputs = {random_tensor({5, 4}, 1), random_tensor({4, 4}, 2),
                                        random_tensor({4}, 3), random_tensor({4}, 4)};
    CHECK(gradient_error(network, inputs) < gradient_tolerance);
}

TEST_CASE("engine: leaves are told of once, when their gradients are complete") {
    const auto leaf = [](real value) { return Variable(Tensor::full({2}, value), true); };
    const Variable early = leaf(2), late = leaf(3), twice = leaf(5), unused = leaf(7);
    const Variable first = mul(early, twice), second = mul(first, late);
    const Variable loss = sum(add(second, twice));
    std::vector<std::pair<const Node*, real>> told;
    backward(loss, [&](const Node& node) { told.emplace_back(&node, node.grad.data()[0]); });
    // `late` is used by the second product only, so it is complete before the first is walked.
    REQUIRE(told.size() == 3);
    CHECK(told[0].first == late.node().get());
    for (const auto& [node, grad] : told) {
        CHECK(grad == node->grad.data()[0]);
        CHECK(node != unused.node().get());
    }
    CHECK(late.grad().data()[0] == 10);
    CHECK(twice.grad().data()[0] == 7);
    CHECK(early.grad().data()[0] == 15);
}
