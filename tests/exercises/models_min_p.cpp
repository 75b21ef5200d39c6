// Exercise: the probabilities of min-p sampling (Nguyen et al., "Turning Up the Heat: Min-p
// Sampling for Creative and Coherent LLM Outputs", 2024). A token is kept if its probability in
// softmax(logits / temperature) is at least min_p times that of the most likely one. The others get
// 0, and the kept ones sum to 1 again. A flat distribution keeps many tokens, a steep one few.
// Logits may be huge. No logits, or one that is not finite, is an Error.
// Level 2 of 3, about 30 minutes. Two hints are at the end.
#include <limits>
#include <span>

#include "core/check.h"
#include "core/real.h"
#include "tests/exercises/exercise.h"

std::vector<double> min_p_probabilities(std::span<const smoe::real> logits, double temperature,
                                        double min_p);

using namespace smoe;

namespace {

void check_probabilities(const std::vector<real>& logits, double temperature, double min_p,
                         const std::vector<double>& expected) {
    const std::vector<double> found = min_p_probabilities(logits, temperature, min_p);
    REQUIRE(found.size() == expected.size());
    for (size_t i = 0; i < found.size(); ++i) {
        CAPTURE(i);
        CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-9));
        CHECK((found[i] == 0) == (expected[i] == 0));
    }
}

std::vector<real> log_of(const std::vector<double>& probabilities) {
    std::vector<real> logits;
    for (const double probability : probabilities) {
        logits.push_back(real(std::log(probability) + 3));  // softmax does not see the 3
    }
    return logits;
}

}  // namespace

TEST_CASE("min_p: worked out by hand") {
    const std::vector<real> logits = log_of({0.3, 0.5, 0.04, 0.16});
    check_probabilities(logits, 1, 0.3, {0.3 / 0.96, 0.5 / 0.96, 0, 0.16 / 0.96});
    check_probabilities(logits, 1, 0.5, {0.3 / 0.8, 0.5 / 0.8, 0, 0});
    check_probabilities(logits, 1, 0, {0.3, 0.5, 0.04, 0.16});
    check_probabilities(log_of({0.25, 0.25, 0.25, 0.25}), 1, 0.9, {0.25, 0.25, 0.25, 0.25});
    check_probabilities({2, 1, 2}, 1, 1, {0.5, 0, 0.5});  // equals of the best stay
}

TEST_CASE("min_p: the temperature comes first") {
    // At temperature 2 the probabilities go as the roots: 0.283 of the best, not 0.08.
    const double total = std::sqrt(0.3) + std::sqrt(0.5) + std::sqrt(0.04) + std::sqrt(0.16);
    check_probabilities(log_of({0.3, 0.5, 0.04, 0.16}), 2, 0.2,
                        {std::sqrt(0.3) / total, std::sqrt(0.5) / total, std::sqrt(0.04) / total,
                         std::sqrt(0.16) / total});
}

TEST_CASE("min_p: logits of any size") {
    const double e = std::exp(1.0);
    check_probabilities({1000, 999, -1000}, 1, 0.1, {e / (e + 1), 1 / (e + 1), 0});
    check_probabilities({-1000, -1001}, 1, 0.1, {e / (e + 1), 1 / (e + 1)});
    check_probabilities({5, 4}, 0.001, 0.1, {1, 0});
}

TEST_CASE("min_p: what cannot be sampled is refused") {
    CHECK_THROWS_AS(min_p_probabilities({}, 1, 0.1), Error);
    for (const real bad : {real(NAN), std::numeric_limits<real>::infinity()}) {
        CHECK_THROWS_AS(min_p_probabilities(std::vector<real>{1, bad, 2}, 1, 0.1), Error);
    }
}

// Hint 1: relative to the most likely token, the probability of token i is e^((logit - largest) /
// temperature): nothing overflows, and it can be compared with min_p at once.
// Hint 2: a comparison with NaN is false, so ask std::isfinite of every logit before you look for
// the largest.
