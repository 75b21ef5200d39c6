// Choosing a token.
#include "models/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/check.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

// Ids from the largest value to the smallest, equal ones by id.
std::vector<int32_t> descending(std::span<const real> values) {
    std::vector<int32_t> order(values.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
        const real first = values[size_t(a)], second = values[size_t(b)];
        return first > second || (first == second && a < b);
    });
    return order;
}

}  // namespace

void check_sampling(const Sampling& s) {
    check(s.kind == "greedy" || s.kind == "multinomial" || s.kind == "nucleus",
          "sampling: expected greedy, multinomial or nucleus, found '{}'", s.kind);
    check(std::isfinite(s.temperature) && s.temperature > 0,
          "sampling: the temperature must be above 0, found {}; its limit at 0 is greedy sampling",
          s.temperature);
    check(s.top_p > 0 && s.top_p <= 1, "sampling: top_p must be above 0 and at most 1, found {}",
          s.top_p);
    check(s.top_k >= 0, "sampling: top_k must not be negative, found {}", s.top_k);
}

std::vector<uint8_t> nucleus_set(std::span<const real> probs, double top_p) {
    std::vector<uint8_t> kept(probs.size(), 0);
    double running = 0;
    for (const int32_t id : descending(probs)) {
        kept[size_t(id)] = 1;
        running += probs[size_t(id)];
        // Rounding may take the sum of all past 1 before the last.
        if (top_p < 1 && running > top_p) {
            break;
        }
    }
    return kept;
}

int32_t sample_token(std::span<const real> logits, const Sampling& sampling, Rng& rng) {
    check(!logits.empty(), "sampling: there are no logits to choose from");
    check(std::all_of(logits.begin(), logits.end(), [](real x) { return std::isfinite(x); }),
          "sampling: the model's output is not finite: its training has diverged");
    const int64_t best = argmax(logits.data(), int64_t(logits.size()));
    if (sampling.kind == "greedy") {
        return int32_t(best);
    }
    std::vector<real> probs(logits.size());
    double total = 0;
    for (size_t i = 0; i < probs.size(); ++i) {
        const double below_best = double(logits[i]) - double(logits[size_t(best)]);
        probs[i] = real(std::exp(below_best / sampling.temperature));
    }
    if (sampling.top_k > 0 && uint64_t(sampling.top_k) < probs.size()) {
        const std::vector<int32_t> order = descending(logits);
        for (size_t rank = size_t(sampling.top_k); rank < order.size(); ++rank) {
            probs[size_t(order[rank])] = 0;
        }
    }
    for (const real prob : probs) {
        total += prob;
    }
    for (real& prob : probs) {
        prob = real(prob / total);
    }
    if (sampling.kind == "nucleus") {
        const std::vector<uint8_t> kept = nucleus_set(probs, sampling.top_p);
        for (size_t i = 0; i < probs.size(); ++i) {
            probs[i] *= kept[i];
        }
    }
    return int32_t(rng.categorical(probs));
}

}  // namespace smoe
