// Exercise: estimate pi by throwing points at a square and counting those in the circle, on all
// threads but with the same bits for any number of them. Point i takes two numbers from the stream
// of `seed` that depend on i alone: core/rng.h has a function for that.
// Level 2 of 3, about 30 minutes. Two hints are at the end.
#include <cstdint>

#include "tests/exercises/exercise.h"

double estimate_pi(uint64_t seed, int64_t points);

using namespace smoe;

TEST_CASE("estimate_pi: close to pi, the closer the more points") {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
        for (const auto& [points, error] : {std::pair{10'000, 0.066}, {1'000'000, 0.0066}}) {
            // Four standard deviations of the mean.
            const double found = estimate_pi(seed, points);
            CHECK_MESSAGE(std::abs(found - 3.14159265) < error,
                          "estimate_pi(" << seed << ", " << points << ") should be within " << error
                                         << " of pi, found " << found);
        }
    }
    CHECK(estimate_pi(1, 10'000) != estimate_pi(2, 10'000));
}

TEST_CASE("estimate_pi: the same bits for any number of threads") {
    set_threads(1);
    const double one = estimate_pi(7, 300'001);
    for (const int count : {2, 3, 4}) {
        set_threads(count);
        for (int again = 0; again < 5; ++again) {
            expect_close(fmt::format("estimate_pi(7, 300001) with {} threads", count),
                         estimate_pi(7, 300'001), one);
        }
    }
}

TEST_CASE("estimate_pi: the work is divided") {
    expect_several_threads("estimate_pi(7, 1000000)", [] { estimate_pi(7, 1'000'000); });
}

// Hint 1: philox(seed, 0, i) gives point i four random words, whoever asks. to_unit makes a number
// in [0, 1) of each. Threads must not add to one counter: who comes first would be chance.
// Hint 2: let each chunk of parallel_for count into a place of its own, a vector with a place for
// begin / grain, and add the places up afterwards.
