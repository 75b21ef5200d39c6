// Exercise autograd_cosine: write the function, then run make exercise NAME=autograd_cosine FILE=(this file).
// Read next: tests/exercises/autograd_cosine.cpp, which says what is wanted and ends with two hints.
#include <cmath>

#include "autograd/ops.h"
#include "core/check.h"
#include "core/vector_math.h"

smoe::Variable cosine_similarity(const smoe::Variable& a, const smoe::Variable& b) {
    smoe::fail("autograd_cosine: cosine_similarity is still to be written");
}
