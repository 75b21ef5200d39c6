// Exercise autograd_cumsum: write the function, then run make exercise NAME=autograd_cumsum FILE=(this file).
// Read next: tests/exercises/autograd_cumsum.cpp, which says what is wanted and ends with two hints.
#include "autograd/ops.h"
#include "core/check.h"

smoe::Variable cumsum(const smoe::Variable& x) {
    smoe::fail("autograd_cumsum: cumsum is still to be written");
}
