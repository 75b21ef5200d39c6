// Stage 2: the tape. It has ops of its own here, so that none of the next stage is needed.
// Read next: stage_3.cpp.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "autograd/engine.h"
#include "tests/error_of.h"

using namespace smoe;

namespace {

Variable number(real value, bool requires_grad = true) {
    return Variable(Tensor::full({}, value), requires_grad);
}

// a b, of single numbers
Variable product(const Variable& a, const Variable& b) {
    const real x = a.value().item(), y = b.value().item();
    return record("product", Tensor::full({}, x * y), {a, b},
                  [x, y](const Tensor& dout, std::span<Tensor* const> din) {
                      if (din[0] != nullptr) {
                          *din[0]->data() += *dout.data() * y;
                      }
                      if (din[1] != nullptr) {
                          *din[1]->data() += *dout.data() * x;
                      }
                  });
}

// factor x, of single numbers
Variable times(const Variable& x, real factor) {
    return record("times", Tensor::full({}, factor * x.value().item()), {x},
                  [factor](const Tensor& dout, std::span<Tensor* const> din) {
                      *din[0]->data() += factor * *dout.data();
                  });
}

}  // namespace

TEST_CASE("stage 2: record") {
    const Variable a = number(2), constant = number(3, false);
    const Variable out = product(a, constant);
    CHECK(out.value().item() == 6);
    REQUIRE_MESSAGE(out.requires_grad(), "an input requires a gradient, so the result does");
    CHECK(std::string(out.node()->name) == "product");
    CHECK(out.node()->shape == Shape{});
    REQUIRE(out.node()->inputs.size() == 2);
    CHECK(out.node()->inputs[0] == a.node());
    CHECK_MESSAGE(out.node()->inputs[1] == nullptr,
                  "a constant has no node, and null stands for it");
    CHECK(out.node()->id > a.node()->id);
    CHECK(out.node()->backward != nullptr);

    CHECK_MESSAGE(!product(constant, constant).requires_grad(), "nothing to differentiate");
    const NoGrad off;
    CHECK_MESSAGE(!product(a, a).requires_grad(), "NoGrad is on: nothing is recorded");
    CHECK(product(a, a).value().item() == 4);
}

TEST_CASE("stage 2: reachable") {
    const Variable x = number(2);
    const Variable a = times(x, 3), unused = times(a, 7), b = product(a, a);
    const Variable root = product(b, a);
    using Names = std::vector<std::string>;
    // By graph_names, in the order of recording: each op once, although there are many ways to it.
    CHECK(graph_names(root) == Names{"times", "product", "product"});
    CHECK(graph_names(unused) == Names{"times", "times"});
    Variable deep = number(1);
    for (int i = 0; i < 22; ++i) {
        deep = product(deep, deep);  // 2^22 ways: walk none of them twice
    }
    CHECK(graph_names(deep).size() == 22);
}

TEST_CASE("stage 2: walk") {
    // y = (3x)^2 (3x) = 27 x^3
    const Variable x = number(2), constant = number(5, false);
    const Variable a = times(x, 3), square = product(a, a), root = product(square, a);
    backward(root);
    CHECK(x.grad().item() == 27 * 3 * 4);
    CHECK_MESSAGE(!a.node()->grad.defined(), "gradients on the way are freed");
    CHECK_MESSAGE(a.node()->backward == nullptr, "and so are the rules");
    check_refused("a graph that was walked before", [&] { backward(root); });

    backward(product(x, constant));
    CHECK_MESSAGE(x.grad().item() == 324 + 5, "a second walk adds to the gradient of a leaf");
    const Variable y = number(4);
    backward(times(y, 2), Tensor::full({}, 10));
    CHECK(y.grad().item() == 20);
    backward(y);
    CHECK_MESSAGE(y.grad().item() == 21, "a leaf may be the root");

    const Tensor ten = Tensor::full({}, 10);
    const Variable leaf = number(4);
    backward(leaf, ten);
    backward(leaf, ten);
    CHECK(leaf.grad().item() == 20);
    CHECK_MESSAGE(ten.item() == 10,
                  "droot must stay as it was: the gradient may not share its memory");

    check_refused("a root that requires no gradient", [&] { backward(constant); });
    for (const Shape& shape : {Shape{2}, Shape{1}}) {
        check_refused("droot of shape " + shape.str() + " for a root of shape ()",
                      [&] { backward(times(y, 2), Tensor::full(shape, 1)); });
    }
    CHECK_MESSAGE(y.grad().item() == 21, "a walk that is refused changes no gradient");

    Variable chain = number(1);
    const Variable first = chain;
    for (int i = 0; i < 100000; ++i) {
        chain = times(chain, 1);
    }
    backward(chain);  // a recursive walk would need a stack for each of them
    CHECK(first.grad().item() == 1);
}
