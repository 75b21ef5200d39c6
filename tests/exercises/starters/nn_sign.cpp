// Exercise nn_sign: write the function, then run make exercise NAME=nn_sign FILE=(this file).
// Read next: tests/exercises/nn_sign.cpp, which says what is wanted and ends with two hints.
#include <memory>

#include "core/check.h"
#include "nn/optim/optimizer.h"

std::unique_ptr<smoe::Optimizer> make_sign_descent(const smoe::Tensor& values,
                                                   const smoe::Tensor& grads,
                                                   const smoe::OptimizerSettings& settings) {
    smoe::fail("nn_sign: make_sign_descent is still to be written");
}
