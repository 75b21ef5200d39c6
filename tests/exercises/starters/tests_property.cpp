// Exercise tests_property: write the function, then run make exercise NAME=tests_property FILE=(this file).
// Read next: tests/exercises/tests_property.cpp, which says what is wanted and ends with two hints.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "autograd/ops.h"
#include "core/check.h"
#include "core/rng.h"

using Group =
    std::function<smoe::ExpertGroups(const std::vector<int32_t>& experts, int64_t num_experts)>;

bool keeps_the_laws(const Group& group) {
    smoe::fail("tests_property: keeps_the_laws is still to be written");
}
