// Leaves, recording and the switch that turns it off; who owns what, and for how long. The tests
// count bytes: what should be freed must be gone.
// Read next: recompute_test.cpp.
#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "autograd/variable.h"
#include "core/check.h"
#include "core/storage.h"

using namespace smoe;

namespace {

Variable leaf(real value) {
    return Variable(Tensor::full({2}, value), true);
}

}  // namespace

TEST_CASE("variable: copies are handles to the same value and gradient") {
    const Variable x = leaf(3), copy = x;
    CHECK(copy.value().data() == x.value().data());
    CHECK(copy.node() == x.node());
    backward(sum(copy));
    CHECK(x.grad().data()[1] == 1);
    CHECK(!Variable().defined());
    CHECK(!Variable().requires_grad());
}

TEST_CASE("variable: only leaves have gradients, before and after a walk") {
    const Variable x = leaf(3), constant(Tensor::zeros({2}));
    CHECK(!x.grad().defined());
    x.zero_grad();  // nothing to do yet
    CHECK(!x.grad().defined());
    const Variable y = mul(x, x);
    CHECK_THROWS_AS(y.grad(), Error);
    CHECK_THROWS_AS(constant.grad(), Error);
    CHECK_THROWS_AS(constant.zero_grad(), Error);
    CHECK_THROWS_AS(Variable().grad(), Error);
    backward(sum(y));
    CHECK_THROWS_AS(y.grad(), Error);
    CHECK_THROWS_AS(y.zero_grad(), Error);
    Variable moved = y;
    CHECK_THROWS_AS(moved.rebind(Tensor::zeros({2}), Tensor::zeros({2})), Error);
}

TEST_CASE("variable: a leaf that requires no gradient any more is a constant, and has none") {
    Variable x = leaf(3);
    const Variable y = leaf(2);
    backward(sum(mul(x, y)));
    const int64_t with_gradient = memory_use().live;
    x.requires_grad_(false);
    CHECK(!x.requires_grad());
    CHECK(memory_use().live < with_gradient);
    CHECK(x.value().data()[1] == 3);
    backward(sum(mul(x, y)));  // of y alone
    CHECK(y.grad().data()[0] == 6);
    x.requires_grad_(true);
    CHECK(!x.grad().defined());
    backward(sum(mul(x, y)));
    CHECK(x.grad().data()[0] == 2);
    const Node* const before = x.node().get();
    x.requires_grad_(true);  // as it is
    CHECK(x.node().get() == before);
    Variable result = mul(x, y);
    CHECK_THROWS_WITH_AS(result.requires_grad_(false), doctest::Contains("'mul'"), Error);
}

TEST_CASE("variable: rebind moves value and gradient into the caller's memory") {
    const Tensor values = Tensor::zeros({6}), grads = Tensor::zeros({6});
    Variable a(Tensor::from({2, 1}, {1, 2}), true), b(Tensor::from({4}, {3, 4, 5, 6}), true);
    a.rebind(values.narrow(0, 2).reshape({2, 1}), grads.narrow(0, 2).reshape({2, 1}));
    b.rebind(values.narrow(2, 4), grads.narrow(2, 4));
    for (int64_t i = 0; i < 6; ++i) {
        CHECK(values.data()[i] == real(i + 1));
    }
    backward(add(sum(mul(a, a)), sum(b)));
    CHECK(grads.data()[0] == 2);
    CHECK(grads.data()[1] == 4);
    CHECK(grads.data()[5] == 1);
    CHECK(b.grad().data() == grads.data() + 2);
    values.fill(10);  // an optimiser's step, seen by the leaf
    CHECK(sum(a).value().item() == 20);
    a.zero_grad();
    CHECK(grads.data()[0] == 0);
    CHECK(grads.data()[5] == 1);
}

TEST_CASE("variable: rebind refuses what does not fit, and changes nothing") {
    Variable x(Tensor::from({2}, {1, 2}), true), constant(Tensor::zeros({2}));
    const real* const before = x.value().data();
    CHECK_THROWS_AS(x.rebind(Tensor::zeros({3}), Tensor::zeros({2})), Error);
    CHECK_THROWS_AS(x.rebind(Tensor::zeros({2}), Tensor::zeros({3})), Error);
    CHECK_THROWS_AS(x.rebind(Tensor::zeros({2, 1}), Tensor::zeros({2})), Error);
    CHECK_THROWS_AS(constant.rebind(Tensor::zeros({2}), Tensor::zeros({2})), Error);
    Variable result = scale(x, 2);
    CHECK_THROWS_AS(result.rebind(Tensor::zeros({2}), Tensor::zeros({2})), Error);
    CHECK(x.value().data() == before);
    CHECK(!x.grad().defined());
}

TEST_CASE("record: a node only where a gradient is wanted") {
    const Variable x = leaf(1), constant(Tensor::zeros({2}));
    int freed = 0;
    struct Counter {
        int* count;
        explicit Counter(int* target) : count(target) {}
        ~Counter() { ++*count; }
        Counter(const Counter&) = delete;
        Counter& operator=(const Counter&) = delete;
    };
    const auto rule = [&] {
        return
            [held = std::make_shared<Counter>(&freed)](const Tensor&, std::span<Tensor* const>) {};
    };
    const Variable unrecorded = record("op", Tensor::zeros({2}), {constant, Variable()}, rule());
    CHECK(!unrecorded.requires_grad());
    CHECK(freed == 1);  // what the rule captured is gone at once
    {
        const Variable recorded =
            record("op", Tensor::zeros({3}), {constant, x, Variable()}, rule());
        REQUIRE(recorded.requires_grad());
        CHECK(recorded.node()->inputs.size() == 3);
        CHECK(recorded.node()->inputs[0] == nullptr);
        CHECK(recorded.node()->inputs[1] == x.node());
        CHECK(recorded.node()->inputs[2] == nullptr);
        CHECK(recorded.node()->id > x.node()->id);
        CHECK(recorded.node()->shape == Shape{3});
        CHECK(std::string(recorded.node()->name) == "op");
        CHECK(freed == 1);
        backward(recorded, Tensor::zeros({3}));
        CHECK(freed == 2);  // by the walk, while the result is alive
    }
    CHECK(freed == 2);
}

TEST_CASE("record: the rule is handed null where no gradient is wanted, one tensor for one leaf") {
    const Variable x = leaf(1), y = leaf(2), constant(Tensor::zeros({2}));
    int calls = 0;
    const Variable result = record("op", Tensor::zeros({2}), {x, constant, y, x},
                                   [&](const Tensor& dout, std::span<Tensor* const> din) {
                                       ++calls;
                                       CHECK(dout.shape() == Shape{2});
                                       REQUIRE(din.size() == 4);
                                       CHECK(din[0] != nullptr);
                                       CHECK(din[1] == nullptr);
                                       CHECK(din[2] != din[0]);
                                       CHECK(din[3] == din[0]);
                                       CHECK(din[0]->data()[0] == 0);  // zeros to add to
                                   });
    backward(result, Tensor::full({2}, 1));
    CHECK(calls == 1);
}

TEST_CASE(
    "NoGrad: nests, ends with its scope also by an exception, and holds for its thread alone") {
    const Variable x = leaf(1);
    const auto recorded = [&] { return scale(x, 2).requires_grad(); };
    CHECK(recorded());
    {
        const NoGrad outer;
        CHECK(!recorded());
        {
            const NoGrad inner;
            CHECK(!recorded());
        }
        CHECK(!recorded());
        bool elsewhere = false;
        std::thread([&] { elsewhere = recorded(); }).join();
        CHECK(elsewhere);
    }
    CHECK(recorded());
    try {
        const NoGrad unwound;
        throw std::runtime_error("through the scope");
    } catch (const std::runtime_error&) {
    }
    CHECK(recorded());
}

TEST_CASE("NoGrad: a graph recorded before it can be walked inside") {
    const Variable x = leaf(3);
    const Variable root = sum(mul(x, x));
    const NoGrad constant;
    backward(root);
    CHECK(x.grad().data()[0] == 6);
}

TEST_CASE("graph: a result keeps its inputs alive, and frees all with itself") {
    const int64_t before = memory_use().live;
    Variable root;
    {
        const Variable x(Tensor::full({1000}, 2), true);
        const Variable y = mul(x, x);
        root = sum(mul(y, y));
    }
    CHECK(memory_use().live > before + 1000);
    backward(root);
    CHECK(root.value().item() == 16000);
    root = Variable();
    CHECK(memory_use().live == before);
}
