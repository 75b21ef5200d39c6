// Exercise autograd_elu: write the function, then run make exercise NAME=autograd_elu FILE=(this file).
// Read next: tests/exercises/autograd_elu.cpp, which says what is wanted and ends with two hints.
#include <cmath>

#include "autograd/ops.h"
#include "core/check.h"

smoe::Variable elu(const smoe::Variable& x) {
    smoe::fail("autograd_elu: elu is still to be written");
}
