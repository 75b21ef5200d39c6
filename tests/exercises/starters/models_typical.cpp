// Exercise models_typical: write the function, then run make exercise NAME=models_typical FILE=(this file).
// Read next: tests/exercises/models_typical.cpp, which says what is wanted and ends with two hints.
#include <cmath>
#include <span>
#include <vector>

#include "core/check.h"
#include "core/real.h"

std::vector<double> typical_probabilities(std::span<const smoe::real> logits, double mass) {
    smoe::fail("models_typical: typical_probabilities is still to be written");
}
