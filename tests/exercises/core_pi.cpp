// Exercise: estimate pi by throwing points at a square and counting those in the circle, on all
// threads but with the same bits for any number of them. Point i takes two numbers from the stream
// of `seed` that depend on i alone: core/rng.h has a function for that.
#include <cstdint>

#include "tests/exercises/exercise.h"

double estimate_pi(uint64_t seed, int64_t points);

using namespace smoe;

TEST_CASE("estimate_pi: close to pi, the closer the more points") {
    const double pi = std::acos(-1.0);
    for (uint64_t seed = 1; seed <= 5; ++seed) {
        // Four standard deviations of the mean.
        CHECK(std::abs(estimate_pi(seed, 10'000) - pi) < 0.066);
        CHECK(std::abs(estimate_pi(seed, 1'000'000) - pi) < 0.0066);
    }
    CHECK(estimate_pi(1, 10'000) != estimate_pi(2, 10'000));
}

TEST_CASE("estimate_pi: the same bits for any number of threads") {
    set_threads(1);
    const double one = estimate_pi(7, 300'001);
    for (const int count : {2, 3, 4}) {
        set_threads(count);
        for (int again = 0; again < 5; ++again) {
            CHECK(estimate_pi(7, 300'001) == one);
        }
    }
}
