// Exercise tests_checker: write the function, then run make exercise NAME=tests_checker FILE=(this file).
// Read next: tests/exercises/tests_checker.cpp, which says what is wanted and ends with two hints.
#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "core/rng.h"
#include "tests/autograd/gradient_check.h"

double my_gradient_error(const smoe::Op& op, const std::vector<smoe::Tensor>& inputs) {
    smoe::fail("tests_checker: my_gradient_error is still to be written");
}
