// Choosing a token: compute the probabilities, set those that may not be drawn to 0, and draw once.
// Sums of probabilities are taken in double.
// Read next: tests/models/generation/sampling_test.cpp.
#include "models/generation/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"
#include "core/vector_math.h"

namespace smoe {

// Larger values first, equal ones by id.
constexpr auto ranks_before = [](const Sampler::Ranked& a, const Sampler::Ranked& b) {
    return a.value > b.value || (a.value == b.value && a.id < b.id);
};

void check_sampling(const Sampling& s) {
    check(s.kind == "greedy" || s.kind == "multinomial" || s.kind == "nucleus",
          "sampling: expected greedy, multinomial or nucleus, found '{}'", s.kind);
    check(std::isfinite(s.temperature) && s.temperature > 0,
          "sampling: the temperature must be above 0, found {}; its limit at 0 is greedy sampling",
          s.temperature);
    check(s.top_p > 0 && s.top_p <= 1, "sampling: top_p must be above 0 and at most 1, found {}",
          s.top_p);
    check(s.top_k >= 0, "sampling: top_k must not be negative, found {}", s.top_k);
    check(s.min_p >= 0 && s.min_p <= 1, "sampling: min_p must be from 0 to 1, found {}", s.min_p);
    check(std::isfinite(s.repetition_penalty) && s.repetition_penalty > 0,
          "sampling: the repetition penalty must be above 0, found {}; 1 means none",
          s.repetition_penalty);
}

namespace {

// log sum exp(logits)
double log_total(std::span<const real> logits) {
    const double best = double(logits[size_t(argmax(logits.data(), int64_t(logits.size())))]);
    double total = 0;
    for (const real logit : logits) {
        total += std::exp(double(logit) - best);
    }
    return best + std::log(total);
}

}  // namespace

double log_probability(std::span<const real> logits, int32_t id) {
    return double(logits[size_t(id)]) - log_total(logits);
}

int32_t Sampler::draw(std::span<const real> logits, const Sampling& sampling, Rng& rng,
                      std::span<const int32_t> before) {
    check(!logits.empty(), "sampling: there are no logits to choose from");
    check(std::all_of(logits.begin(), logits.end(), [](real x) { return std::isfinite(x); }),
          "sampling: the model's output is not finite: its training has diverged");
    if (sampling.repetition_penalty != 1) {
        logits = penalised(logits, sampling.repetition_penalty, before);
    }
    const int64_t best = argmax(logits.data(), int64_t(logits.size()));
    if (sampling.kind == "greedy") {
        return int32_t(best);
    }
    // softmax(logits / temperature). The best logit is subtracted, so no exponent is above 0.
    probs_.resize(logits.size());
    for (size_t i = 0; i < probs_.size(); ++i) {
        const double below_best = double(logits[i]) - double(logits[size_t(best)]);
        const double relative = std::exp(below_best / sampling.temperature);
        probs_[i] = relative < sampling.min_p ? real(0) : real(relative);
    }
    const auto drop_from = [this](size_t first) {
        for (size_t place = first; place < ranked_.size(); ++place) {
            probs_[size_t(ranked_[place].id)] = 0;
        }
    };
    if (sampling.top_k > 0 && uint64_t(sampling.top_k) < probs_.size()) {
        rank(logits);
        bring_forward(0, size_t(sampling.top_k));
        drop_from(size_t(sampling.top_k));
    }
    double total = 0;
    for (const real prob : probs_) {
        total += prob;
    }
    for (real& prob : probs_) {
        prob = real(prob / total);
    }
    if (sampling.kind == "nucleus") {
        drop_from(nucleus(probs_, sampling.top_p).size());
    }
    return int32_t(rng.categorical(probs_));
}

std::span<const Sampler::Ranked> Sampler::nucleus(std::span<const real> probs, double top_p) {
    rank(probs);
    double running = 0;
    size_t kept = 0;
    // It usually holds few tokens, so the likeliest are sorted first, then twice as many.
    for (size_t sorted = 32; kept < ranked_.size(); sorted *= 2) {
        const size_t end = std::min(ranked_.size(), kept + sorted);
        bring_forward(kept, end);
        std::sort(ranked_.begin() + ptrdiff_t(kept), ranked_.begin() + ptrdiff_t(end),
                  ranks_before);
        while (kept < end) {
            running += ranked_[kept++].value;
            // Rounding may take the sum past 1 before the last token.
            if (top_p < 1 && running > top_p) {
                return {ranked_.data(), kept};
            }
        }
    }
    return ranked_;
}

std::span<const Sampler::Ranked> Sampler::likeliest(std::span<const real> logits, int64_t count) {
    if (count == 0) {
        return {};  // ranking all of them is work
    }
    rank(logits);
    const size_t kept = std::min(size_t(count), ranked_.size());
    if (kept < ranked_.size()) {
        bring_forward(0, kept);
    }
    const std::span<Ranked> first(ranked_.data(), kept);
    std::sort(first.begin(), first.end(), ranks_before);
    const double total = log_total(logits);
    for (Ranked& token : first) {
        token.value = real(double(token.value) - total);
    }
    return first;
}

// The logits with those of the tokens in `before` made less likely.
std::span<const real> Sampler::penalised(std::span<const real> logits, double penalty,
                                         std::span<const int32_t> before) {
    penalised_.assign(logits.begin(), logits.end());
    for (const int32_t id : before) {
        const double logit = double(logits[size_t(id)]);  // paid once, however often it came
        const double paid = logit > 0 ? logit / penalty : logit * penalty;
        constexpr double largest = double(std::numeric_limits<real>::max());
        penalised_[size_t(id)] = real(std::clamp(paid, -largest, largest));
    }
    return penalised_;
}

// Ranks all values, in any order.
void Sampler::rank(std::span<const real> values) {
    ranked_.clear();
    for (size_t id = 0; id < values.size(); ++id) {
        ranked_.push_back({values[id], int32_t(id)});
    }
}

// Moves the largest values at or after `begin` to the places before `end`.
void Sampler::bring_forward(size_t begin, size_t end) {
    // This is linear in the vocabulary; sorting all of it would not be.
    std::nth_element(ranked_.begin() + ptrdiff_t(begin), ranked_.begin() + ptrdiff_t(end),
                     ranked_.end(), ranks_before);
}

}  // namespace smoe
