// Exercise: an optimiser without a memory, sign descent: value -= lr sign(g), where sign(0) = 0. All
// weights move by the same length, whatever their gradients. Derive from Optimizer and override
// update(part): it gets the part [begin, end) of the flat buffers, and its learning rate.
// Level 1 of 3, about 20 minutes. Two hints are at the end.
#include <memory>

#include "nn/optim/optimizer.h"
#include "tests/autograd/gradient_check.h"
#include "tests/exercises/exercise.h"

std::unique_ptr<smoe::Optimizer> make_sign_descent(const smoe::Tensor& values,
                                                   const smoe::Tensor& grads,
                                                   const smoe::OptimizerSettings& settings);

using namespace smoe;

TEST_CASE("sign_descent: the formula, with warm-up and with groups") {
    const Tensor values = Tensor::from({4}, {1, 2, 3, 4}), grads = Tensor::zeros({4});
    const auto optimizer = make_sign_descent(
        values, grads, {.lr = 0.5, .warmup = 2, .groups = {{.begin = 2, .end = 4, .lr = 10}}});
    grads.copy_from(Tensor::from({4}, {real(1e-9), -7, 0, 2}));
    optimizer->step();  // the first of two steps of warm-up: lr is 0.25
    expect_elements("(1, 2, 3, 4) after a step with gradients (1e-9, -7, 0, 2)", values,
                    {0.75, 2.25, 3, 1.5}, 1e-12);
    optimizer->step();
    expect_elements("the same after two steps", values, {0.25, 2.75, 3, -3.5}, 1e-12);
}

// Hint 1: nn/optim/sgd.cpp is the pattern; values_ and grads_ are members of Optimizer.
// Hint 2: the part's learning rate part.lr already has warm-up and groups in it. The sign of g is
// (g > 0) - (g < 0).
