// The families of masks: what each table must hold, counted entry by entry, and the settings that
// each refuses.
// Read next: masked_linear_test.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "nn/masks.h"
#include "tests/error_of.h"

namespace smoe {
namespace {

Tensor draw(const std::string& family, int64_t num_experts, double rate, int64_t width,
            uint64_t seed = 1) {
    Rng rng(seed);
    return draw_masks(family, {.num_experts = num_experts, .rate = rate}, width, rng);
}

// The neurons that both experts keep; with a == b, those that one keeps.
int64_t common(const Tensor& table, int64_t a, int64_t b) {
    int64_t count = 0;
    for (int64_t i = 0; i < table.size(1); ++i) {
        count += table.data()[a * table.size(1) + i] == 1 && table.data()[b * table.size(1) + i];
    }
    return count;
}

// The mean over all pairs of experts.
double mean_overlap(const Tensor& table) {
    double sum = 0, pairs = 0;
    for (int64_t a = 0; a < table.size(0); ++a) {
        for (int64_t b = 0; b < a; ++b, ++pairs) {
            sum += double(common(table, a, b));
        }
    }
    return sum / pairs;
}

void check_kept(const Tensor& table, int64_t kept) {
    for (int64_t expert = 0; expert < table.size(0); ++expert) {
        CAPTURE(expert);
        CHECK(common(table, expert, expert) == kept);
    }
}

// The row of an expert as a person draws it, "##..".
std::string row(const Tensor& table, int64_t expert) {
    std::string text;
    for (int64_t i = 0; i < table.size(1); ++i) {
        text += table.data()[expert * table.size(1) + i] == 1 ? '#' : '.';
    }
    return text;
}

bool equal(const Tensor& a, const Tensor& b) {
    return std::ranges::equal(a.values(), b.values());
}

}  // namespace

TEST_CASE("mask families: exact keeps A of the neurons, each expert its own") {
    const Tensor table = draw("exact", 20, 0.75, 2048);
    check_kept(table, 512);
    CHECK(mean_overlap(table) == doctest::Approx(128).epsilon(0.03));  // A A/width
    // Every neuron has the same chance: halves of the layer are kept alike.
    const Tensor many = draw("exact", 200, 0.75, 64);
    double first_half = 0;
    for (int64_t expert = 0; expert < 200; ++expert) {
        first_half += double(std::ranges::count(row(many, expert).substr(0, 32), '#'));
    }
    CHECK(first_half / 200 == doctest::Approx(8).epsilon(0.04));
    check_kept(draw("exact", 3, 0.3, 10), 7);
    check_kept(draw("exact", 3, 0, 10), 10);
}

TEST_CASE("mask families: partition is disjoint blocks of all neurons") {
    const Tensor table = draw("partition", 4, 0.75, 16);
    CHECK(row(table, 0) == "####............");
    CHECK(row(table, 1) == "....####........");
    CHECK(row(table, 2) == "........####....");
    CHECK(row(table, 3) == "............####");
    check_kept(draw("partition", 3, 0.667, 384), 128);  // a rate with few digits
    check_kept(draw("partition", 1, 0, 7), 7);
}

TEST_CASE("mask families: experts of shared have S neurons in common and the others alone") {
    const Tensor small = draw("shared:0.5", 3, 0.6, 10);  // S = 2, A - S = 2, two left over
    CHECK(row(small, 0) == "####......");
    CHECK(row(small, 1) == "##..##....");
    CHECK(row(small, 2) == "##....##..");
    for (const double share : {0.25, 0.5, 0.75}) {
        const Tensor table = draw("shared:" + std::to_string(share), 4, 0.75, 2048);
        check_kept(table, 512);
        for (int64_t a = 0; a < 4; ++a) {
            for (int64_t b = 0; b < a; ++b) {
                CHECK(common(table, a, b) == int64_t(share * 512));
            }
        }
    }
    CHECK(equal(draw("shared:0", 4, 0.75, 16), draw("partition", 4, 0.75, 16)));
    CHECK(mean_overlap(draw("shared:1", 200, 0.75, 16)) == 4);  // all are the same
}

TEST_CASE("mask families: blocks are kept or left as a whole") {
    const Tensor table = draw("blocks:64", 8, 0.75, 2048);
    check_kept(table, 512);
    for (int64_t expert = 0; expert < 8; ++expert) {
        for (int64_t i = 0; i < 2048; ++i) {
            const real* const entries = table.data() + expert * 2048;
            REQUIRE(entries[i] == entries[i - i % 64]);
        }
    }
    CHECK(mean_overlap(draw("blocks:64", 100, 0.75, 2048)) == doctest::Approx(128).epsilon(0.05));
    CHECK(equal(draw("blocks:1", 5, 0.5, 40), draw("exact", 5, 0.5, 40)));
}

TEST_CASE("mask families: two experts of overlap share about j of their neurons") {
    for (const double share : {0.25, 0.4, 0.5, 0.75, 0.9}) {
        CAPTURE(share);
        const Tensor table = draw("overlap:" + std::to_string(share), 20, 0.75, 2048);
        check_kept(table, 512);
        CHECK(mean_overlap(table) == doctest::Approx(share * 512).epsilon(0.03));
    }
    CHECK(mean_overlap(draw("overlap:1", 5, 0.75, 16)) == 4);
    check_kept(draw("overlap:0.333333", 3, 2.0 / 3, 1000), 333);  // the least, with few digits
}

TEST_CASE("mask families: each nested expert holds the one before it") {
    const Tensor table = draw("nested", 4, 0.75, 16);
    CHECK(row(table, 0) == "#...............");
    CHECK(row(table, 1) == "###.............");
    CHECK(row(table, 2) == "#####...........");
    CHECK(row(table, 3) == "#######.........");
    const Tensor wide = draw("nested", 5, 0.6, 2048);
    double kept = 0;
    for (int64_t expert = 0; expert < 5; ++expert) {
        kept += double(common(wide, expert, expert)) / 5;
    }
    CHECK(kept == doctest::Approx(0.4 * 2048).epsilon(0.001));
}

TEST_CASE("mask families: a seed determines the masks") {
    for (const char* family : {"bernoulli", "exact", "blocks:4", "overlap:0.5"}) {
        CAPTURE(family);
        CHECK(equal(draw(family, 6, 0.75, 64), draw(family, 6, 0.75, 64)));
        CHECK(!equal(draw(family, 6, 0.75, 64), draw(family, 6, 0.75, 64, 2)));
    }
    for (const char* family : {"partition", "shared:0.25", "nested"}) {
        CAPTURE(family);
        CHECK(equal(draw(family, 4, 0.75, 64), draw(family, 4, 0.75, 64, 2)));
    }
}

TEST_CASE("mask families: what does not fit is refused, with what would") {
    const auto refused = [](const std::string& family, int64_t num_experts, double rate,
                            int64_t width) {
        return error_of([&] { draw(family, num_experts, rate, width); });
    };
    CHECK(refused("partition", 4, 0.2, 512) ==
          "masks: a partition among 4 experts needs the rate 0.75, found 0.2");
    CHECK(refused("partition", 4, 0.875, 512) ==
          "masks: a partition among 4 experts needs the rate 0.75, found 0.875, which fits 8 "
          "experts");
    CHECK(refused("partition", 12, 0.9, 512) ==
          "masks: 12 experts cannot have equal parts of 512 neurons: take a number that divides "
          "512, such as 8");
    CHECK(refused("partition", 200, 0.9, 96).ends_with("such as 96"));
    CHECK(refused("shared:1.5", 4, 0.75, 64) ==
          "masks: the share that all experts keep must be in [0, 1], found shared:1.5");
    CHECK(refused("shared:-0.1", 4, 0.75, 64).ends_with("found shared:-0.1"));
    CHECK(refused("shared:0.5", 8, 0.75, 64) ==
          "masks: shared:0.5 at the rate 0.75 needs 8 neurons for all and 8 for each of 8 experts, "
          "there are 64: take a higher rate, a larger share or at most 7 experts");
    CHECK(refused("shared:0.5", 7, 0.75, 64) == "accepted");
    for (const char* number : {"0", "-4", "2.5", "65"}) {
        CHECK(refused(std::string("blocks:") + number, 4, 0.75, 64) ==
              std::string("masks: the size of a block must be a whole number from 1 to 64, found "
                          "blocks:") +
                  number);
    }
    CHECK(refused("blocks:12", 4, 0.75, 64) ==
          "masks: the size of a block must divide the 64 neurons and the 16 that an expert keeps, "
          "found blocks:12: take a divisor of 16, such as 8");
    for (const char* number : {"0", "-1", "0.2", "1.1", "1e-300"}) {
        CHECK(refused(std::string("overlap:") + number, 4, 0.75, 64) ==
              std::string("masks: experts that keep 16 of 64 neurons may have a share from 0.25 to "
                          "1 of them in common, found overlap:") +
                  number);
    }
    CHECK(refused("nested", 4, 0.25, 64) ==
          "masks: the largest of 4 nested experts keeps 1.75 times the average of 48, there are 64 "
          "neurons: the rate must be at least 0.4375, found 0.25");
    CHECK(refused("nested", 4, 0.4375, 64) == "accepted");
    CHECK(refused("blocks", 4, 0.75, 64) ==
          "the mask family 'blocks' needs a number, how many neurons a block has, as in blocks:64");
    CHECK(refused("exact:2", 4, 0.75, 64) ==
          "the mask family 'exact' takes no number, found 'exact:2'");
}

}  // namespace smoe
