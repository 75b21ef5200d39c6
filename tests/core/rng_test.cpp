// Random numbers: the generator against the vectors its authors published (Random123, kat_vectors),
// what is drawn from it against the distributions, and positions that can be saved. The statistics
// use fixed streams, so they pass always or never. Bounds are five standard deviations.
// Read next: storage_test.cpp.
#include "core/rng.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/check.h"

using namespace smoe;

namespace {

using Words = std::array<uint32_t, 4>;

}  // namespace

TEST_CASE("philox: the published vectors") {
    // Published as counter words 0 to 3 and key words 0 and 1, the lowest first. Words 0 and 1 of
    // the counter are our counter, words 2 and 3 the stream, and the key is the seed.
    CHECK(philox(0, 0, 0) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    CHECK(philox(UINT64_MAX, UINT64_MAX, UINT64_MAX) ==
          Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(philox(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88) ==
          Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("philox: many blocks at once are the blocks one by one") {
    for (const int64_t count : {0, 1, 15, 16, 35}) {
        const uint64_t first = UINT32_MAX - 20;  // the counter's low word overflows on the way
        std::vector<uint32_t> words(size_t(4 * count) + 1, 7);
        philox_blocks(5, 6, first, count, words.data());
        for (int64_t i = 0; i < count; ++i) {
            const Words block = philox(5, 6, first + uint64_t(i));
            CHECK(std::equal(block.begin(), block.end(), words.begin() + 4 * i));
        }
        CHECK(words.back() == 7);
    }
}

TEST_CASE("rng: a stream is its blocks in order, four words each") {
    Rng rng(5, 6);
    for (uint64_t block = 0; block < 3; ++block) {
        for (const uint32_t word : philox(5, 6, block)) {
            CHECK(rng.bits() == word);
        }
    }
    Rng pairs(5, 6);
    const Words words = philox(5, 6, 0);
    CHECK(pairs.bits64() == (uint64_t(words[0]) << 32 | words[1]));
}

TEST_CASE("rng: seeds and streams differ, copies and saved positions agree") {
    CHECK(Rng(1).bits64() != Rng(2).bits64());
    CHECK(Rng(1, 0).bits64() != Rng(1, 1).bits64());
    CHECK(Rng(1, 2).bits64() != Rng(2, 1).bits64());
    Rng rng(9, 4);
    for (int i = 0; i < 7; ++i) {
        rng.normal();
    }
    const Rng::State saved = rng.state();
    Rng copy = rng, restored(saved);
    CHECK(saved.seed == 9);
    CHECK(saved.stream == 4);
    CHECK(saved.position == 14);
    for (int i = 0; i < 20; ++i) {
        const double next = rng.normal();
        CHECK(copy.normal() == next);
        CHECK(restored.normal() == next);
    }
    CHECK(rng.state() == copy.state());
    CHECK(!(rng.state() == saved));
}

TEST_CASE("rng: uniform numbers are in [0, 1) and evenly spread") {
    CHECK(to_unit(0) == 0);
    CHECK(to_unit(UINT32_MAX) < 1);
    CHECK(float(to_unit(UINT32_MAX)) < 1);
    constexpr int count = 100000, bins = 20;
    Rng rng(1);
    double mean = 0, square = 0;
    std::vector<double> bin(bins);
    for (int i = 0; i < count; ++i) {
        const double u = rng.uniform();
        if (!(u >= 0 && u < 1)) {
            FAIL("not in [0, 1): " << u);
        }
        mean += u / count;
        square += u * u / count;
        ++bin[size_t(u * bins)];
    }
    CHECK(std::abs(mean - 0.5) < 5 * std::sqrt(1.0 / 12 / count));
    CHECK(std::abs(square - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / count));
    double chi = 0;  // 19 degrees of freedom: mean 19, variance 38
    for (const double found : bin) {
        chi += (found - count / bins) * (found - count / bins) / (count / bins);
    }
    CHECK(chi < 19 + 5 * std::sqrt(38.0));
    CHECK(chi > 1);  // too even is not random either
}

TEST_CASE("rng: consecutive numbers, and those of neighbouring streams, are uncorrelated") {
    constexpr int count = 50000;
    Rng rng(3, 0), neighbour(3, 1);
    double before = rng.uniform() - 0.5, serial = 0, across = 0;
    for (int i = 0; i < count; ++i) {
        const double now = rng.uniform() - 0.5;
        serial += before * now;
        across += now * (neighbour.uniform() - 0.5);
        before = now;
    }
    const double bound = 5.0 / 12 * std::sqrt(double(count));
    CHECK(std::abs(serial) < bound);
    CHECK(std::abs(across) < bound);
}

TEST_CASE("rng: normal numbers have the moments and tails of the normal distribution") {
    constexpr int count = 100000;
    Rng rng(2);
    double moments[5] = {};
    int within_one = 0, beyond_three = 0;
    for (int i = 0; i < count; ++i) {
        const double z = rng.normal();
        double power = 1;
        for (double& moment : moments) {
            moment += power / count;
            power *= z;
        }
        within_one += std::abs(z) < 1;
        beyond_three += std::abs(z) > 3;
    }
    const double deviation = 5 / std::sqrt(double(count));
    CHECK(std::abs(moments[1]) < deviation);
    CHECK(std::abs(moments[2] - 1) < deviation * std::sqrt(2.0));
    CHECK(std::abs(moments[3]) < deviation * std::sqrt(15.0));
    CHECK(std::abs(moments[4] - 3) < deviation * std::sqrt(96.0));
    CHECK(std::abs(within_one / double(count) - 0.682689) < deviation * 0.4655);
    CHECK(std::abs(beyond_three / double(count) - 0.0026998) < deviation * 0.0519);
}

TEST_CASE("rng: below stays below and prefers nobody") {
    Rng rng(4);
    CHECK_THROWS_AS(rng.below(0), Error);
    for (int i = 0; i < 100; ++i) {
        CHECK(rng.below(1) == 0);
        CHECK(rng.below(UINT64_MAX) < UINT64_MAX);
    }
    constexpr int count = 60000;
    std::vector<int> found(6);
    for (int i = 0; i < count; ++i) {
        ++found[size_t(rng.below(6))];
    }
    for (const int times : found) {
        CHECK(std::abs(times - count / 6) < 5 * std::sqrt(count * 5.0 / 36));
    }
    // Taking the remainder of a word modulo 3 * 2^62 would hit the lowest third half of the time.
    const uint64_t large = uint64_t(3) << 62;
    int low = 0;
    for (int i = 0; i < 9000; ++i) {
        const uint64_t drawn = rng.below(large);
        if (drawn >= large) {
            FAIL("not below " << large << ": " << drawn);
        }
        low += drawn < large / 3;
    }
    CHECK(std::abs(low - 3000) < 5 * std::sqrt(2000.0));
}

TEST_CASE("rng: categorical draws follow the weights, whatever their sum") {
    Rng rng(5);
    const std::vector<real> weights = {2, 0, 5, 1, 0};
    constexpr int count = 40000;
    std::vector<int> found(weights.size());
    for (int i = 0; i < count; ++i) {
        const int64_t drawn = rng.categorical(weights);
        ++found.at(size_t(drawn));
    }
    for (size_t i = 0; i < weights.size(); ++i) {
        const double p = weights[i] / 8;
        CAPTURE(i);
        CHECK(std::abs(found[i] - p * count) <= 5 * std::sqrt(count * p * (1 - p)));  // 0: never
    }
    const std::vector<real> one = {0, 0, real(1e-30), 0};
    CHECK(rng.categorical(one) == 2);
}

TEST_CASE("rng: weights without a distribution are refused") {
    Rng rng(6);
    const real nan = std::numeric_limits<real>::quiet_NaN();
    const real infinity = std::numeric_limits<real>::infinity();
    const Rng::State before = rng.state();
    for (const std::vector<real>& weights :
         {std::vector<real>{}, {0, 0}, {1, nan}, {1, infinity}, {-1, real(0.5)}}) {
        CHECK_THROWS_WITH_AS(rng.categorical(weights), doctest::Contains("positive, finite sum"),
                             Error);
    }
    CHECK(rng.state() == before);
}

TEST_CASE("rng: shuffle keeps every item, and every order is equally likely") {
    Rng rng(7);
    std::vector<int> deck(52);
    std::iota(deck.begin(), deck.end(), 0);
    std::vector<int> shuffled = deck;
    rng.shuffle(std::span<int>(shuffled));
    CHECK(shuffled != deck);
    std::sort(shuffled.begin(), shuffled.end());
    CHECK(shuffled == deck);
    std::vector<int> orders(27);
    constexpr int count = 12000;
    for (int i = 0; i < count; ++i) {
        std::vector<int> three = {0, 1, 2};
        rng.shuffle(std::span<int>(three));
        ++orders[size_t(9 * three[0] + 3 * three[1] + three[2])];
    }
    CHECK(std::count(orders.begin(), orders.end(), 0) == 27 - 6);
    for (const int times : orders) {
        CHECK((times == 0 || std::abs(times - count / 6) < 5 * std::sqrt(count * 5.0 / 36)));
    }
    std::vector<int> none;
    rng.shuffle(std::span<int>(none));
    CHECK(none.empty());
}
