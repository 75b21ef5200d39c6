// Stage 4: products of matrices, softmax with its loss, and rows by number.
// Read next: stage_5.cpp.
#include <cmath>

#include "autograd/engine.h"
#include "tests/autograd/textbook.h"
#include "tests/course/course.h"

using namespace smoe;

namespace {

Variable zeros(const Shape& shape) {
    return Variable(Tensor::zeros(shape));
}

const std::vector<int32_t> targets = {2, 0, 4, 2};

}  // namespace

TEST_CASE("stage 4: matmul") {
    const Variable a(Tensor::from({2, 2}, {1, 2, 3, 4})), b(Tensor::from({2, 1}, {10, 100}));
    check_equal("[1 2; 3 4] [10; 100]", matmul(a, b).value(), Tensor::from({2, 1}, {210, 430}));
    check_op(
        "matmul", {random_tensor({3, 4}, 1), random_tensor({4, 5}, 2)},
        [](const Variables& in) { return matmul(in[0], in[1]); },
        [](const Tensors& in) { return textbook::matmul(in[0], in[1]); });
    check_refused("matmul", "(2, 3) and (2, 3)", [] { matmul(zeros({2, 3}), zeros({2, 3})); });
}

TEST_CASE("stage 4: linear") {
    check_op(
        "linear", {random_tensor({4, 3}, 1), random_tensor({5, 3}, 2), random_tensor({5}, 3)},
        [](const Variables& in) { return linear(in[0], in[1], in[2]); },
        [](const Tensors& in) { return textbook::linear(in[0], in[1], in[2]); });
    check_op(
        "linear without a bias", {random_tensor({4, 3}, 1), random_tensor({5, 3}, 2)},
        [](const Variables& in) { return linear(in[0], in[1]); },
        [](const Tensors& in) { return textbook::linear(in[0], in[1], Tensor()); });
    check_refused("linear", "x (4, 3), weight (3, 5)", [] {
        linear(zeros({4, 3}), zeros({3, 5}));
    });
    check_refused("linear", "x (4, 3), weight (5, 3), bias (3)", [] {
        linear(zeros({4, 3}), zeros({5, 3}), zeros({3}));
    });
}

TEST_CASE("stage 4: softmax") {
    check_op(
        "softmax", {random_tensor({4, 5}, 1)}, [](const Variables& in) { return softmax(in[0]); },
        [](const Tensors& in) { return textbook::softmax(in[0]); });
    check_equal("softmax of (1000, 1000, -1000)",
                softmax(Variable(Tensor::from({1, 3}, {1000, 1000, -1000}))).value(),
                Tensor::from({1, 3}, {0.5, 0.5, 0}));
}

TEST_CASE("stage 4: log_sum_exp") {
    const Tensor logits = random_tensor({4, 5}, 1);
    check_equal("cross_entropy", cross_entropy(Variable(logits), targets).value(),
                textbook::cross_entropy(logits, targets));
    check_equal("cross_entropy of (1000, 1000) for target 0",
                cross_entropy(Variable(Tensor::full({1, 2}, 1000)), {0}).value(),
                Tensor::full({1}, real(std::log(2.0))));
    check_equal("cross_entropy of (-1000, -1000) for target 0",
                cross_entropy(Variable(Tensor::full({1, 2}, -1000)), {0}).value(),
                Tensor::full({1}, real(std::log(2.0))));
}

TEST_CASE("stage 4: cross_entropy_backward") {
    check_op(
        "cross_entropy", {random_tensor({4, 5}, 1)},
        [](const Variables& in) { return cross_entropy(in[0], targets); },
        [](const Tensors& in) { return textbook::cross_entropy(in[0], targets); });
    for (const real size : {1000, -1000}) {
        const Variable logits(Tensor::full({1, 2}, size), true);
        backward(cross_entropy(logits, {0}), Tensor::full({1}, 1));
        check_equal(
            "the gradient of cross_entropy of two equal logits of " + numbers_of(logits.value()),
            logits.grad(), Tensor::from({1, 2}, {-0.5, 0.5}));
    }
    // Here the gradient takes the place of the logits: dx is row, and nothing is to be added to it.
    check_op(
        "linear_cross_entropy", {random_tensor({4, 3}, 1), random_tensor({5, 3}, 2)},
        [](const Variables& in) { return linear_cross_entropy(in[0], in[1], targets); },
        [](const Tensors& in) {
            return textbook::cross_entropy(textbook::linear(in[0], in[1], Tensor()), targets);
        });
}

TEST_CASE("stage 4: select") {
    check_op(
        "embedding of the ids 2 0 4 2", {random_tensor({5, 3}, 1)},
        [](const Variables& in) { return embedding(in[0], targets); },
        [](const Tensors& in) { return textbook::embedding(in[0], targets); });
    check_op(
        "index_select along dim 1", {random_tensor({2, 5, 3}, 1)},
        [](const Variables& in) { return index_select(in[0], 1, targets); },
        [](const Tensors& in) { return textbook::index_select(in[0], 1, targets); });
}
