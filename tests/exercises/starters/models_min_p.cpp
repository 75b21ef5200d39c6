// Exercise models_min_p: write the function, then run make exercise NAME=models_min_p FILE=(this file).
// Read next: tests/exercises/models_min_p.cpp, which says what is wanted and ends with two hints.
#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "core/check.h"
#include "core/real.h"

std::vector<double> min_p_probabilities(std::span<const smoe::real> logits, double temperature,
                                        double min_p) {
    smoe::fail("models_min_p: min_p_probabilities is still to be written");
}
