// One solution of the exercise models_typical.cpp; write your own first.
// Read next: tests/exercises/models_typical.cpp, its test.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include "core/check.h"
#include "core/real.h"

std::vector<double> typical_probabilities(std::span<const smoe::real> logits, double mass) {
    using smoe::real;
    smoe::check(!logits.empty(), "typical: there are no logits to choose from");
    smoe::check(std::ranges::all_of(logits, [](real x) { return std::isfinite(x); }),
                "typical: a logit is not finite");
    const double best = double(*std::ranges::max_element(logits));
    double total = 0;
    for (const real logit : logits) {
        total += std::exp(double(logit) - best);
    }
    // -log p = log total - (logit - best), finite even where p itself is 0.
    std::vector<double> probabilities, told;
    double entropy = 0;
    for (const real logit : logits) {
        told.push_back(std::log(total) - (double(logit) - best));
        probabilities.push_back(std::exp(-told.back()));
        entropy += probabilities.back() * told.back();
    }
    std::vector<size_t> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    const auto distance = [&](size_t id) { return std::abs(told[id] - entropy); };
    std::ranges::stable_sort(order, {}, distance);
    std::vector<double> kept(logits.size(), 0);
    double sum = 0;
    for (const size_t id : order) {
        if (sum >= mass) {
            break;
        }
        kept[id] = probabilities[id];
        sum += probabilities[id];
    }
    for (double& probability : kept) {
        probability /= sum;
    }
    return kept;
}
