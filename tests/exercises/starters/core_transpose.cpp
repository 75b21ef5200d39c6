// Exercise core_transpose: write the function, then run make exercise NAME=core_transpose FILE=(this file).
// Read next: tests/exercises/core_transpose.cpp, which says what is wanted and ends with two hints.
#include <algorithm>

#include "core/check.h"
#include "core/tensor.h"
#include "core/threads.h"

void transpose_in_place(const smoe::Tensor& x) {
    smoe::fail("core_transpose: transpose_in_place is still to be written");
}
