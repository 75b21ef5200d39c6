// Recomputation: the same gradients to the bit, less memory on the way, and when it calls the part.
// The part counts its calls, and memory_use() counts the bytes.
// Read next: extremes_test.cpp.
#include "autograd/recompute.h"

#include <doctest/doctest.h>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/storage.h"
#include "tests/autograd/gradient_check.h"

using namespace smoe;

namespace {

// Twelve results that backward needs, and a parameter used in each.
Variable part(const Variable& x, const Variable& weight) {
    Variable y = x;
    for (int i = 0; i < 12; ++i) {
        y = tanh(mul(y, weight));
    }
    return y;
}

struct Outcome {
    Tensor value, dx, dweight;
    int64_t held;  // bytes in the graph before backward
};

Outcome run(bool again) {
    const Shape shape({50, 40});
    const Variable x(random_tensor(shape, 1), true), weight(random_tensor(shape, 2), true);
    const auto body = [&](const Variable& in) { return part(in, weight); };
    const int64_t before = memory_use().live;
    const Variable middle = scale(x, 2);  // so that what comes before is walked, too
    const Variable y = again ? recompute(body, middle) : body(middle);
    const Variable root = add(y, middle);  // and so that its input is used twice
    const int64_t held = memory_use().live - before;
    backward(root, random_tensor(shape, 3));
    return {root.value().clone(), x.grad().clone(), weight.grad().clone(), held};
}

}  // namespace

TEST_CASE("recompute: value and gradients are the same to the bit, with less in memory") {
    const Outcome plain = run(false), again = run(true);
    CHECK(difference(again.value, plain.value) == 0);
    CHECK(difference(again.dx, plain.dx) == 0);
    CHECK(difference(again.dweight, plain.dweight) == 0);
    const int64_t one = 50 * 40 * int64_t(sizeof(real));
    CHECK(plain.held > 12 * one);
    CHECK(again.held < 4 * one);
}

TEST_CASE("recompute: gradients against differences, one part inside the other") {
    const Op op = [](const std::vector<Variable>& in) {
        const auto inner = [&](const Variable& x) { return tanh(mul(x, in[1])); };
        return recompute(
            [inner](const Variable& x) { return mul(recompute(inner, scale(x, 3)), x); }, in[0]);
    };
    CHECK(gradient_error(op, {random_tensor({3, 4}, 1), random_tensor({3, 4}, 2)}) <
          gradient_tolerance);
}

TEST_CASE("recompute: two parts in a row share an input that was computed before") {
    const auto run = [](bool again) {
        const Variable x(random_tensor({6, 4}, 1), true), scores(random_tensor({6}, 2), true);
        const Variable weights = tanh(scores);  // no leaf: its own graph lies outside of the parts
        const RecomputedPart body = [](std::span<const Variable> in) {
            return tanh(scale_rows(in[0], in[1]));
        };
        Variable y = x;
        for (int i = 0; i < 2; ++i) {
            y = again ? recompute(body, {y, weights}) : body(std::vector{y, weights});
        }
        backward(y, random_tensor({6, 4}, 3));
        return std::pair(x.grad(), scores.grad());
    };
    const auto plain = run(false), again = run(true);
    CHECK(difference(again.first, plain.first) == 0);
    CHECK(difference(again.second, plain.second) == 0);

    // An input that wants no gradient, and one that is not there.
    const Variable x(Tensor::full({2}, 3), true), constant(Tensor::full({2}, 5));
    const Variable y = recompute(
        [](std::span<const Variable> in) { return in[2].defined() ? in[2] : mul(in[0], in[1]); },
        {constant, x, Variable()});
    backward(sum(y));
    CHECK(x.grad().data()[0] == 5);
}

TEST_CASE("recompute: walked under NoGrad, and with a part that does not depend on its input") {
    const Variable x(Tensor::full({2}, 3), true), weight(Tensor::full({2}, 5));
    const Variable y = recompute([&](const Variable& in) { return mul(in, weight); }, x);
    const Variable z = recompute([&](const Variable&) { return weight; }, x);
    const Variable root = sum(y);
    const NoGrad no_grad;
    backward(root);
    CHECK(x.grad().data()[0] == 5);
    CHECK(!scale(x, 2).requires_grad());  // still
    backward(z, Tensor::full({2}, 1));
    CHECK(x.grad().data()[0] == 5);
}

TEST_CASE("recompute: the part is called again only where its gradient is wanted") {
    int calls = 0;
    const Variable weight(Tensor::full({2}, 3), true), constant(Tensor::full({2}, 5));
    const auto body = [&](const Variable& in) {
        ++calls;
        return mul(in, weight);
    };
    // No gradient for the input: recorded as it is, so that the weight still gets its own.
    backward(sum(recompute(body, constant)));
    CHECK(calls == 1);
    CHECK(weight.grad().data()[0] == 5);
    {
        const NoGrad no_grad;
        CHECK(!recompute(body, weight).requires_grad());
    }
    CHECK(calls == 2);
    const Variable x(Tensor::full({2}, 7), true), y = recompute(body, x);
    CHECK(calls == 3);
    backward(sum(y));
    CHECK(calls == 4);
    CHECK(graph_names(sum(recompute(body, x))) == std::vector<std::string>{"recompute", "sum"});
}
