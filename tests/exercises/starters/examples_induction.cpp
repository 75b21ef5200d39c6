// Exercise examples_induction: write the function, then run make exercise NAME=examples_induction FILE=(this file).
// Read next: tests/exercises/examples_induction.cpp, which says what is wanted and ends with two hints.
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/check.h"
#include "core/tensor.h"

smoe::Tensor induction_head(const std::vector<int32_t>& tokens, int64_t vocab) {
    smoe::fail("examples_induction: induction_head is still to be written");
}
