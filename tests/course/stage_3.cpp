// Stage 3: ops on elements, and the first thing that is learned.
// Read next: stage_4.cpp.
#include <algorithm>

#include "autograd/engine.h"
#include "tests/autograd/textbook.h"
#include "tests/course/course.h"

using namespace smoe;

namespace {

void check_pair(const std::string& name, Variable (*op)(const Variable&, const Variable&),
                double (*formula)(double, double)) {
    // Equal shapes, a row that serves all rows, and a number that serves all.
    for (const Shape& b : {Shape{3, 4}, Shape{4}, Shape{}}) {
        check_op(
            name + " of (3, 4) and " + b.str(), {random_tensor({3, 4}, 1), random_tensor(b, 2)},
            [op](const Variables& in) { return op(in[0], in[1]); },
            [formula](const Tensors& in) { return textbook::map(in[0], in[1], formula); });
    }
    check_refused(name, "(3, 4) and (3)", [op] {
        op(Variable(Tensor::zeros({3, 4})), Variable(Tensor::zeros({3})));
    });
}

}  // namespace

TEST_CASE("stage 3: add") {
    check_pair("add", add, [](double a, double b) { return a + b; });
}

TEST_CASE("stage 3: mul") {
    check_pair("mul", mul, [](double a, double b) { return a * b; });
}

TEST_CASE("stage 3: relu") {
    check_op(
        "relu", {Tensor::from({2, 3}, {-2, -0.5, 0.5, 3, 1, -4})},
        [](const Variables& in) { return relu(in[0]); },
        [](const Tensors& in) {
            return textbook::map(in[0], [](double x) { return std::max(x, 0.0); });
        });
}

TEST_CASE("stage 3: mse_loss") {
    check_op(
        "mse_loss", {random_tensor({2, 5}, 1), random_tensor({2, 5}, 2)},
        [](const Variables& in) { return mse_loss(in[0], in[1]); },
        [](const Tensors& in) { return textbook::mse_loss(in[0], in[1]); });
    check_refused("mse_loss", "(2) and (3)",
                  [] { mse_loss(Variable(Tensor::zeros({2})), Variable(Tensor::zeros({3}))); });
    check_refused("mse_loss", "(2, 3) and (3, 2)", [] {
        mse_loss(Variable(Tensor::zeros({2, 3})), Variable(Tensor::zeros({3, 2})));
    });
    check_refused("mse_loss", "tensors without elements",
                  [] { mse_loss(Variable(Tensor::zeros({0})), Variable(Tensor::zeros({0}))); });
    // A line, found from five points on it: what all of this is for.
    const Variable x(Tensor::from({5}, {-2, -1, 0, 1, 2})), y(Tensor::from({5}, {-5, -2, 1, 4, 7}));
    const Variable slope(Tensor::zeros({}), true), offset(Tensor::zeros({}), true);
    for (int step = 0; step < 200; ++step) {
        slope.zero_grad();
        offset.zero_grad();
        backward(mse_loss(add(mul(x, slope), offset), y));
        slope.value().data()[0] -= real(0.1) * slope.grad().item();
        offset.value().data()[0] -= real(0.1) * offset.grad().item();
    }
    check_equal("the slope of the line", slope.value(), Tensor::full({}, 3));
    check_equal("where the line begins", offset.value(), Tensor::full({}, 1));
}
