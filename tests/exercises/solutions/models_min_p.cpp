// One solution of the exercise models_min_p.cpp; write your own first.
// Read next: tests/exercises/models_min_p.cpp, its test.
#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "core/check.h"
#include "core/real.h"

std::vector<double> min_p_probabilities(std::span<const smoe::real> logits, double temperature,
                                        double min_p) {
    using smoe::real;
    smoe::check(!logits.empty(), "min_p: there are no logits to choose from");
    smoe::check(std::ranges::all_of(logits, [](real x) { return std::isfinite(x); }),
                "min_p: a logit is not finite");
    const double best = double(*std::ranges::max_element(logits));
    std::vector<double> probabilities;
    double total = 0;
    for (const real logit : logits) {
        // Relative to the most likely token, which has 1: nothing overflows, and min_p compares.
        const double relative = std::exp((double(logit) - best) / temperature);
        probabilities.push_back(relative >= min_p ? relative : 0);
        total += probabilities.back();
    }
    for (double& probability : probabilities) {
        probability /= total;
    }
    return probabilities;
}
