// Exercise nn_lion: write the function, then run make exercise NAME=nn_lion FILE=(this file).
// Read next: tests/exercises/nn_lion.cpp, which says what is wanted and ends with two hints.
#include <memory>

#include "core/check.h"
#include "core/threads.h"
#include "core/vector_math.h"
#include "nn/optim/optimizer.h"

std::unique_ptr<smoe::Optimizer> make_lion(const smoe::Tensor& values, const smoe::Tensor& grads,
                                           const smoe::OptimizerSettings& settings) {
    smoe::fail("nn_lion: make_lion is still to be written");
}
