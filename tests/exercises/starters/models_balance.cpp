// Exercise models_balance: write the function, then run make exercise NAME=models_balance FILE=(this file).
// Read next: tests/exercises/models_balance.cpp, which says what is wanted and ends with two hints.
#include "autograd/ops.h"
#include "core/check.h"
#include "nn/linear.h"

smoe::Variable balance_loss(const smoe::Variable& routing, const smoe::Experts& experts,
                            smoe::real alpha) {
    smoe::fail("models_balance: balance_loss is still to be written");
}
