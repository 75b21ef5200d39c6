// Sampling: sets worked out by hand, the definition tried on every token, frequencies, and what
// must be refused.
// Read next: generator_test.cpp.
#include "models/generation/sampling.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"
#include "tests/error_of.h"

using namespace smoe;

namespace {

using Set = std::vector<uint8_t>;

// 1 for each token in the nucleus.
Set nucleus(const std::vector<real>& probs, double top_p) {
    Sampler sampler;
    Set kept(probs.size(), 0);
    for (const Sampler::Ranked& token : sampler.nucleus(probs, top_p)) {
        kept[size_t(token.id)] = 1;
    }
    return kept;
}

int32_t sample_token(std::span<const real> logits, const Sampling& sampling, Rng& rng,
                     std::span<const int32_t> before = {}) {
    Sampler sampler;
    return sampler.draw(logits, sampling, rng, before);
}

std::vector<real> logs(const std::vector<double>& probs) {
    std::vector<real> logits;
    for (const double prob : probs) {
        logits.push_back(real(std::log(prob) + 3));  // a constant changes nothing
    }
    return logits;
}

std::vector<real> random_logits(size_t count, Rng& rng) {
    std::vector<real> logits(count);
    for (real& logit : logits) {
        logit = real(3 * rng.normal());
    }
    return logits;
}

// Draws often and compares the shares with `expected`, within five standard deviations; what has no
// chance must never come.
void check_shares(const std::vector<real>& logits, const Sampling& sampling,
                  const std::vector<double>& expected, const std::vector<int32_t>& before = {}) {
    constexpr int draws = 20000;
    Rng rng(7);
    std::vector<int> counts(logits.size(), 0);
    for (int i = 0; i < draws; ++i) {
        ++counts[size_t(sample_token(logits, sampling, rng, before))];
    }
    for (size_t id = 0; id < logits.size(); ++id) {
        CAPTURE(id);
        const double deviation = std::sqrt(expected[id] * (1 - expected[id]) / draws);
        CHECK(std::abs(double(counts[id]) / draws - expected[id]) <= 5 * deviation);
    }
}

}  // namespace

TEST_CASE("nucleus: sets worked out by hand") {
    const std::vector<real> probs = {0.125, 0.5, 0.125, 0.25};
    CHECK(nucleus(probs, 0.4) == Set{0, 1, 0, 0});
    CHECK(nucleus(probs, 0.5) == Set{0, 1, 0, 1});  // a sum of just top_p has not passed it
    CHECK(nucleus(probs, 0.7) == Set{0, 1, 0, 1});
    CHECK(nucleus(probs, 0.75) == Set{1, 1, 0, 1});  // of equals the lower id
    CHECK(nucleus(probs, 0.875) == Set{1, 1, 1, 1});
    CHECK(nucleus(probs, 1e-9) == Set{0, 1, 0, 0});  // never empty
    CHECK(nucleus({0.25, 0.25, 0.25, 0.25}, 0.3) == Set{1, 1, 0, 0});
    CHECK(nucleus({1}, 0.5) == Set{1});
    CHECK(nucleus({}, 0.5) == Set{});
}

TEST_CASE("nucleus: top_p = 1 keeps everything, whatever rounding does to the sum") {
    CHECK(nucleus({0, 0.5, 0, 0.5}, 1) == Set{1, 1, 1, 1});
    std::vector<real> probs(1000, real(0.00101));
    CHECK(nucleus(probs, 1) == Set(1000, 1));
}

TEST_CASE("nucleus: the definition, token by token") {
    Rng rng(1);
    for (int round = 0; round < 200; ++round) {
        // Multiples of 1/64: sums are exact, and there are many equal ones.
        std::vector<real> probs(1 + rng.below(12), 0);
        for (int i = 0; i < 64; ++i) {
            probs[rng.below(probs.size())] += real(1) / 64;
        }
        const double top_p = double(1 + rng.below(63)) / 64;
        const Set kept = nucleus(probs, top_p);
        for (size_t id = 0; id < probs.size(); ++id) {
            double before = 0;
            for (size_t other = 0; other < probs.size(); ++other) {
                const bool first =
                    probs[other] > probs[id] || (probs[other] == probs[id] && other < id);
                before += first ? double(probs[other]) : 0;
            }
            CHECK(bool(kept[id]) == (before <= top_p));
        }
    }
}

TEST_CASE("nucleus: the likeliest first, the same as from sorting everything") {
    Rng rng(4);
    Sampler sampler;  // one for all, whatever it was used for before
    for (const double top_p : {0.01, 0.3, 0.9, 0.999, 1.0}) {
        for (const size_t count : {1, 31, 32, 33, 100, 1000}) {
            std::vector<real> probs(count);
            double total = 0;
            for (real& prob : probs) {
                prob = std::exp(real(int(rng.below(12))));  // many are equal
                total += prob;
            }
            std::vector<Sampler::Ranked> order;
            for (size_t id = 0; id < count; ++id) {
                probs[id] = real(probs[id] / total);
                order.push_back({probs[id], int32_t(id)});
            }
            std::stable_sort(order.begin(), order.end(),
                             [](const auto& a, const auto& b) { return a.value > b.value; });
            double running = 0;
            size_t kept = 0;
            while (kept < count && !(top_p < 1 && running > top_p)) {
                running += order[kept++].value;
            }
            const std::span<const Sampler::Ranked> found = sampler.nucleus(probs, top_p);
            REQUIRE(found.size() == kept);
            for (size_t place = 0; place < kept; ++place) {
                CHECK(found[place].id == order[place].id);
            }
        }
    }
}

TEST_CASE("sampling: greedy takes the first of the largest and draws nothing") {
    Rng rng(3);
    const std::vector<real> logits = {-2, 5, 1, 5};
    CHECK(sample_token(logits, {.kind = "greedy"}, rng) == 1);
    CHECK(rng.state() == Rng(3).state());
    CHECK(sample_token(std::vector<real>{-7}, {.kind = "nucleus"}, rng) == 0);
}

TEST_CASE("sampling: shares are the probabilities") {
    const std::vector<real> logits = logs({0.1, 0.4, 0.2, 0.3});
    check_shares(logits, {.kind = "multinomial"}, {0.1, 0.4, 0.2, 0.3});
    check_shares(logits, {.kind = "multinomial", .temperature = 0.5},
                 {0.01 / 0.3, 0.16 / 0.3, 0.04 / 0.3, 0.09 / 0.3});
    check_shares(logits, {.kind = "multinomial", .temperature = 1e300}, {0.25, 0.25, 0.25, 0.25});
    check_shares(logits, {.kind = "multinomial", .top_k = 2}, {0, 4.0 / 7, 0, 3.0 / 7});
    check_shares(logits, {.kind = "nucleus", .top_p = 0.8}, {0, 4.0 / 9, 2.0 / 9, 3.0 / 9});
    check_shares(logits, {.kind = "nucleus", .top_p = 1}, {0.1, 0.4, 0.2, 0.3});
    // A bolder temperature comes before the nucleus: 0.4^4 is 72 % of the sum of fourth powers.
    check_shares(logits, {.kind = "nucleus", .temperature = 0.25, .top_p = 0.7}, {0, 1, 0, 0});
    // So does top_k, which makes 4/7 of 0.4.
    check_shares(logits, {.kind = "nucleus", .top_p = 0.5, .top_k = 2}, {0, 1, 0, 0});
    check_shares({1, 1, 1}, {.kind = "multinomial", .top_k = 2}, {0.5, 0.5, 0});
}

TEST_CASE("sampling: min_p keeps what is likely enough beside the likeliest") {
    const std::vector<real> logits = logs({0.3, 0.5, 0.04, 0.16});
    check_shares(logits, {.kind = "multinomial", .min_p = 0.3},
                 {0.3 / 0.96, 0.5 / 0.96, 0, 0.16 / 0.96});
    check_shares(logits, {.kind = "multinomial", .min_p = 0.5}, {0.375, 0.625, 0, 0});
    check_shares({1, 1, 1, 1}, {.kind = "multinomial", .min_p = 1}, {0.25, 0.25, 0.25, 0.25});
    // The temperature comes first: at 2, probabilities go as their roots, 0.28 and not 0.08.
    const double total = std::sqrt(0.3) + std::sqrt(0.5) + std::sqrt(0.04) + std::sqrt(0.16);
    check_shares(logits, {.kind = "multinomial", .temperature = 2, .min_p = 0.2},
                 {std::sqrt(0.3) / total, std::sqrt(0.5) / total, std::sqrt(0.04) / total,
                  std::sqrt(0.16) / total});
    check_shares(logits, {.kind = "nucleus", .top_p = 0.6, .min_p = 0.3}, {0.375, 0.625, 0, 0});
    check_shares(logits, {.kind = "multinomial", .top_k = 2, .min_p = 0.3}, {0.375, 0.625, 0, 0});
}

TEST_CASE("sampling: a penalty for what the text has already") {
    // exp(1 / 2) and exp(-1 * 2): both become less likely, however often they came.
    const std::vector<real> logits = {1, -1, 0};
    const double total = std::exp(0.5) + std::exp(-2.0) + 1;
    check_shares(logits, {.kind = "multinomial", .repetition_penalty = 2},
                 {std::exp(0.5) / total, std::exp(-2.0) / total, 1 / total}, {0, 1, 0, 0});
    Rng rng(1);
    const std::vector<real> close = {2, real(1.9)};
    const std::vector<int32_t> before = {0};
    const Sampling greedy{.kind = "greedy"}, varied{.kind = "greedy", .repetition_penalty = 1.1};
    CHECK(sample_token(close, greedy, rng, before) == 0);
    CHECK(sample_token(close, varied, rng, before) == 1);
    CHECK(sample_token(close, varied, rng) == 0);
    const real huge = std::numeric_limits<real>::max();
    const std::vector<real> extreme = {-huge, huge};
    CHECK(sample_token(extreme, {.repetition_penalty = 1e300}, rng, std::vector<int32_t>{0, 1}) ==
          1);
}

TEST_CASE("sampling: log probabilities, and the likeliest in order") {
    Rng rng(2);
    Sampler sampler;
    const std::vector<real> logits = random_logits(50, rng);
    double total = 0;
    for (int32_t id = 0; id < 50; ++id) {
        total += std::exp(log_probability(logits, id));
    }
    CHECK(total == doctest::Approx(1));
    CHECK(log_probability(logs({0.1, 0.4, 0.5}), 1) == doctest::Approx(std::log(0.4)));
    CHECK(log_probability(std::vector<real>{1000, 0}, 1) == doctest::Approx(-1000));
    for (const int64_t count : {0, 1, 5, 50, 60}) {
        const auto likeliest = sampler.likeliest(logits, count);
        REQUIRE(likeliest.size() == size_t(std::min<int64_t>(count, 50)));
        for (size_t place = 0; place < likeliest.size(); ++place) {
            const auto& [value, id] = likeliest[place];
            CHECK(double(value) == doctest::Approx(log_probability(logits, id)).epsilon(1e-5));
            const auto larger = std::ranges::count_if(
                logits, [&, id = id](real logit) { return logit > logits[size_t(id)]; });
            CHECK(larger == int64_t(place));
        }
    }
}

TEST_CASE("sampling: limits that must agree") {
    Rng random(11);
    for (int round = 0; round < 50; ++round) {
        const std::vector<real> logits = random_logits(40, random);
        Rng rng(uint64_t(round), 1), same = rng;
        const int32_t greedy = sample_token(logits, {.kind = "greedy"}, rng);
        for (const char* const kind : {"multinomial", "nucleus"}) {
            CHECK(sample_token(logits, {.kind = kind, .top_k = 1}, rng) == greedy);
            CHECK(sample_token(logits, {.kind = kind, .temperature = 1e-6}, rng) == greedy);
            CHECK(sample_token(logits, {.kind = kind, .temperature = 5e-324}, rng) == greedy);
        }
        CHECK(sample_token(logits, {.kind = "nucleus", .top_p = 1e-12}, rng) == greedy);

        rng = same;
        const int32_t all = sample_token(logits, {.kind = "multinomial"}, rng);
        for (const Sampling& other :
             {Sampling{.kind = "nucleus", .top_p = 1},
              Sampling{.kind = "multinomial", .min_p = 0, .repetition_penalty = 1},
              Sampling{.kind = "multinomial", .top_k = 40},
              Sampling{.kind = "multinomial", .top_k = 1000}}) {
            rng = same;
            CHECK(sample_token(logits, other, rng) == all);
        }
    }
}

TEST_CASE("sampling: extreme logits are no trouble, broken ones are refused") {
    Rng rng(1);
    const real huge = std::numeric_limits<real>::max();
    for (const char* const kind : {"greedy", "multinomial", "nucleus"}) {
        CAPTURE(kind);
        CHECK(sample_token(std::vector<real>{-huge, huge, 0}, {.kind = kind}, rng) == 1);
        CHECK_THROWS_AS(sample_token(std::vector<real>{}, {.kind = kind}, rng), Error);
        for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
            CHECK_THROWS_AS(sample_token(std::vector<real>{0, real(bad)}, {.kind = kind}, rng),
                            Error);
        }
    }
}

TEST_CASE("sampling: impossible settings are refused") {
    const double nan = std::nan("");
    CHECK_NOTHROW(check_sampling({}));
    CHECK_NOTHROW(
        check_sampling({.kind = "greedy", .temperature = 1e-300, .top_p = 1, .top_k = 1}));
    for (const Sampling& bad :
         {Sampling{.kind = "max"}, Sampling{.kind = ""}, Sampling{.temperature = 0},
          Sampling{.temperature = -1}, Sampling{.temperature = nan},
          Sampling{.temperature = HUGE_VAL}, Sampling{.top_p = 0}, Sampling{.top_p = -0.1},
          Sampling{.top_p = 1.01}, Sampling{.top_p = nan}, Sampling{.top_k = -1},
          Sampling{.min_p = -0.1}, Sampling{.min_p = 1.1}, Sampling{.min_p = nan},
          Sampling{.repetition_penalty = 0}, Sampling{.repetition_penalty = -1},
          Sampling{.repetition_penalty = nan}, Sampling{.repetition_penalty = HUGE_VAL}}) {
        CAPTURE(bad.kind);
        CAPTURE(bad.temperature);
        CAPTURE(bad.top_p);
        CHECK_THROWS_AS(check_sampling(bad), Error);
    }
}
