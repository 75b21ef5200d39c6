// Exercise autograd_square: write the function, then run make exercise NAME=autograd_square FILE=(this file).
// Read next: tests/exercises/autograd_square.cpp, which says what is wanted and ends with two hints.
#include "autograd/ops.h"
#include "core/check.h"

smoe::Variable square(const smoe::Variable& x) {
    smoe::fail("autograd_square: square is still to be written");
}
