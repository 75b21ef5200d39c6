// Masks: how the first family draws, what a family defined here gets to see, and which names,
// settings and tables are refused.
// Read next: mask_families_test.cpp.
#include "nn/masks.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/error_of.h"

namespace smoe {
namespace {

double kept_share(const Tensor& mask) {
    double kept = 0;
    for (const real entry : mask.values()) {
        kept += double(entry);
    }
    return kept / double(mask.numel());
}

Tensor bernoulli(double rate, uint64_t seed, uint64_t stream) {
    Rng rng(seed, stream);
    return draw_masks("bernoulli", {.num_experts = 10, .rate = rate}, 2000, rng);
}

TEST_CASE("masks: bernoulli draws from the numbers it is handed, at the rate asked for") {
    const Tensor mask = bernoulli(0.2, 3, 0);
    CHECK(mask.shape() == Shape{10, 2000});
    CHECK(kept_share(mask) > 0.78);
    CHECK(kept_share(mask) < 0.82);
    const Tensor again = bernoulli(0.2, 3, 0), other = bernoulli(0.2, 4, 0),
                 next = bernoulli(0.2, 3, 1);
    int64_t other_differs = 0, next_differs = 0;
    for (int64_t i = 0; i < mask.numel(); ++i) {
        CHECK(mask.data()[i] == again.data()[i]);
        other_differs += mask.data()[i] != other.data()[i];
        next_differs += mask.data()[i] != next.data()[i];
    }
    CHECK(other_differs > 4000);  // 0.32 of 20000 are expected
    CHECK(next_differs > 4000);
    CHECK(kept_share(bernoulli(0, 1, 0)) == 1);
}

TEST_CASE("masks: both tables of a network, all ones where masks do not apply") {
    const auto shares = [](MaskWhere where) {
        const MaskTables tables = draw_mask_tables("bernoulli", {.num_experts = 4, .rate = 0.4},
                                                   where, 64, 256, Rng(9, 4), Rng(9, 5));
        CHECK(tables.hidden.shape() == Shape{4, 256});
        CHECK(tables.output.shape() == Shape{4, 64});
        return std::pair(kept_share(tables.hidden), kept_share(tables.output));
    };
    CHECK(shares(MaskWhere::hidden).first < 0.7);
    CHECK(shares(MaskWhere::hidden).second == 1);
    CHECK(shares(MaskWhere::output).first == 1);
    CHECK(shares(MaskWhere::output).second < 0.75);
    CHECK(shares(MaskWhere::both).first < 0.7);
    CHECK(shares(MaskWhere::both).second < 0.75);
}

// The first `number` of the neurons, and one more drawn for each expert.
Tensor first_share(const MaskSettings& settings, int64_t width, Rng& rng) {
    const Tensor table = Tensor::zeros({settings.num_experts, width});
    for (int64_t e = 0; e < settings.num_experts; ++e) {
        std::fill_n(table.data() + e * width, int64_t(settings.number * double(width)), real(1));
        table.data()[e * width + int64_t(rng.below(uint64_t(width)))] = 1;
    }
    return table;
}

TEST_CASE("masks: a family added while the program runs is a name like the others") {
    mask_families().add("test-first", {first_share, "the share that all experts keep"});
    Rng rng(1);
    const Tensor table = draw_masks("test-first:0.25", {.num_experts = 3}, 40, rng);
    CHECK(table.shape() == Shape{3, 40});
    CHECK(std::count(table.data(), table.data() + 10, real(1)) == 10);
    CHECK(kept_share(table) < 0.28);
    CHECK(rng.state().position > 0);
    CHECK(error_of([&] { draw_masks("test-first", {.num_experts = 3}, 40, rng); }) ==
          "the mask family 'test-first' needs a number, the share that all experts keep, as in "
          "test-first:0.25");
}

TEST_CASE("masks: impossible settings, names and tables are refused") {
    Rng rng(1);
    const auto refused = [&](const std::string& family, const MaskSettings& settings) {
        return error_of([&] { draw_masks(family, settings, 4, rng); });
    };
    CHECK(refused("bernoulli", {.num_experts = 0, .rate = 0.2}) ==
          "masks: the number of experts must be positive, found 0");
    for (const double rate : {1.0, -0.1, double(NAN)}) {
        CHECK(refused("bernoulli", {.num_experts = 2, .rate = rate})
                  .starts_with("masks: the rate must be in [0, 1), found "));
    }
    CHECK(refused("bernouli", {.num_experts = 2})
              .starts_with("there is no mask family 'bernouli'; known are bernoulli"));
    CHECK(refused("bernoulli:0.5", {.num_experts = 2}) ==
          "the mask family 'bernoulli' takes no number, found 'bernoulli:0.5'");
    CHECK(refused("bernoulli:x", {.num_experts = 2}).find("a colon and a number") !=
          std::string::npos);
    mask_families().add("test-flat", {[](const MaskSettings&, int64_t width, Rng&) {
                            return Tensor::full({width}, 1);
                        }});
    CHECK(refused("test-flat", {.num_experts = 2}) ==
          "the mask family 'test-flat' must make a table of shape (2, 4), it made one of (4)");
}

}  // namespace
}  // namespace smoe
