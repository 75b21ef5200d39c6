// Exercise: the probabilities of locally typical sampling (Meister et al., "Locally Typical
// Sampling", 2023). People rarely say what is most likely, since it says little. A token tells
// -log p; the entropy H of the distribution is what a token tells on average. Tokens are kept in the
// order of |-log p - H|, the smallest first and of equals the lower id, up to and including the
// first with which the sum of their probabilities is at least `mass`. The others get 0, and the kept
// ones sum to 1 again. p is softmax(logits). Logits may be huge, so p may be 0; such a token tells
// infinitely much and is never kept. No logits, or one that is not finite, is an Error.
// Level 3 of 3, about 45 minutes. Two hints are at the end.
#include <limits>
#include <span>

#include "core/check.h"
#include "core/real.h"
#include "tests/exercises/exercise.h"

std::vector<double> typical_probabilities(std::span<const smoe::real> logits, double mass);

using namespace smoe;

namespace {

void check_probabilities(const std::vector<real>& logits, double mass,
                         const std::vector<double>& expected) {
    const std::vector<double> found = typical_probabilities(logits, mass);
    REQUIRE_MESSAGE(found.size() == expected.size(),
                    "typical_probabilities should have as many elements as there are logits");
    for (size_t i = 0; i < found.size(); ++i) {
        const std::string what = fmt::format("element {} of typical_probabilities({} logits, {})",
                                             i, logits.size(), mass);
        expect_close(what, found[i], expected[i], 1e-9);
        const std::string should = expected[i] == 0 ? "left out" : "kept";
        CHECK_MESSAGE((found[i] == 0) == (expected[i] == 0), what << " should be " << should);
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

TEST_CASE("typical: worked out by hand") {
    // H is 1.168 nats. The tokens tell 0.69, 1.20, 2.30 and 2.30: the second is the most typical.
    const std::vector<real> logits = log_of({0.5, 0.3, 0.1, 0.1});
    check_probabilities(logits, 0.2, {0, 1, 0, 0});
    check_probabilities(logits, 0.31, {0.625, 0.375, 0, 0});
    check_probabilities(logits, 0.85, {0.5 / 0.9, 0.3 / 0.9, 0.1 / 0.9, 0});
    check_probabilities(logits, 0.95, {0.5, 0.3, 0.1, 0.1});
}

TEST_CASE("typical: the likeliest token may go first") {
    // One token with 0.4 and sixty with 0.01: H is 3.13, and the sixty tell 4.61, the one 0.92.
    std::vector<double> probabilities(61, 0.01), expected(61, 1.0 / 60);
    probabilities[0] = 0.4;
    expected[0] = 0;
    check_probabilities(log_of(probabilities), 0.595, expected);
}

TEST_CASE("typical: equals by id") {
    check_probabilities({2, 2, 2}, 0.5, {0.5, 0.5, 0});
    check_probabilities({7}, 0.9, {1});
}

TEST_CASE("typical: logits of any size") {
    check_probabilities({1000, -1000, 1000}, 0.9, {0.5, 0, 0.5});
    check_probabilities({-1000, 1000}, 1, {0, 1});
}

TEST_CASE("typical: what cannot be sampled is refused") {
    CHECK_THROWS_AS(typical_probabilities({}, 0.9), Error);
    for (const real bad : {real(NAN), std::numeric_limits<real>::infinity()}) {
        CHECK_THROWS_AS(typical_probabilities(std::vector<real>{1, bad, 2}, 0.9), Error);
    }
}

// Hint 1: -log p is log(sum of e^(logit - largest)) - (logit - largest), which is finite where p
// itself is rounded to 0; and p = e^-(that).
// Hint 2: std::stable_sort by |-log p - H| leaves equals in the order of their ids. A token whose p
// is 0 tells far more than H, so the sum has passed `mass` before it, unless `mass` is 1.
