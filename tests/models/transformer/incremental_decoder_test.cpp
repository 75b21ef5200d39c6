// The decoder for generation against Decoder::forward: random shapes, experts and pieces; bits that
// depend on nothing else; what must be refused.
// Read next: tests/models/generation/generator_test.cpp.
#include "models/transformer/incremental_decoder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "core/bfloat16.h"
#include "core/check.h"
#include "core/matvec.h"
#include "core/threads.h"

using namespace smoe;

namespace {

using Next = IncrementalDecoder::Next;

std::unique_ptr<Decoder> make_decoder(const DecoderSettings& settings, uint64_t seed = 1) {
    Rng init(seed);
    auto decoder = std::make_unique<Decoder>(settings, init);
    decoder->eval();
    return decoder;
}

DecoderSettings small_settings() {
    return {.vocab = 11,
            .outputs = 7,
            .context = 14,
            .width = 16,
            .layers = 2,
            .heads = 2,
            .hidden = 40,
            .dropout = 0.1,
            .num_experts = 4,
            .mask_rate = 0.4};
}

DecoderSettings random_settings(Rng& rng) {
    const auto from = [&](int64_t low, int64_t high) {
        return low + int64_t(rng.below(uint64_t(high - low + 1)));
    };
    DecoderSettings s = small_settings();
    s.vocab = from(2, 20);
    s.outputs = from(1, 40);
    s.context = from(1, 20);
    s.layers = from(1, 3);
    s.heads = from(1, 4);
    s.width = 2 * s.heads * from(1, 9);
    s.hidden = from(1, 4) == 1 ? from(200, 600) : from(1, 60);
    s.num_experts = from(1, 4);
    s.mask_rate = s.hidden < 20 || s.width < 20 ? 0 : 0.15 * double(from(0, 4));
    s.mask_where = std::array{MaskWhere::hidden, MaskWhere::output, MaskWhere::both}[rng.below(3)];
    s.token_input = from(0, 1) == 1;
    return s;
}

Tensor full_logits(const Decoder& decoder, const std::vector<int32_t>& tokens,
                   const Experts& experts) {
    const NoGrad no_grad;
    return decoder.forward(Sequences::of(tokens), experts).value();
}

// To bfloat16, where a step may read them so.
void round_large_weights(const Decoder& decoder) {
    for (const auto& [name, tensor] : decoder.state_dict()) {
        for (real& number : tensor.values()) {
            if (name.ends_with("proj.weight") || name.ends_with("linear.weight") ||
                name == "decoder.weight") {
                number = nearest_bfloat16(float(number));
            }
        }
    }
}

double distance(std::span<const real> a, std::span<const real> b) {
    REQUIRE(a.size() == b.size());
    double largest = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        const double difference = std::abs(double(a[i]) - double(b[i]));
        largest = difference <= largest ? largest : difference;
    }
    return largest;
}

std::vector<real> append(IncrementalDecoder& decoder, const std::vector<Next>& next) {
    std::vector<real> logits(next.size() * size_t(decoder.settings().outputs));
    decoder.append(next, logits);
    return logits;
}

}  // namespace

TEST_CASE("incremental decoder: equals the whole decoder for random shapes, experts and pieces") {
    Rng rng(1);
    for (int round = 0; round < 60; ++round) {
        CAPTURE(round);
        const DecoderSettings settings = random_settings(rng);
        const std::unique_ptr<Decoder> decoder = make_decoder(settings, uint64_t(round));
        round_large_weights(*decoder);  // both precisions hold them exactly
        const Precision precision = round % 3 == 0 ? Precision::bfloat16 : Precision::float32;
        const bool dense = round % 4 == 0;
        const size_t slots = 1 + rng.below(4), context = size_t(settings.context);
        IncrementalDecoder incremental(*decoder, int64_t(slots), precision);
        std::vector<std::vector<int32_t>> texts(slots);
        std::vector<Experts> experts(slots);
        std::vector<std::vector<real>> logits(slots);
        // The texts grow side by side: by pieces of any length, then by one token at a time.
        const auto growing = [&](const auto& text) { return text.size() < context; };
        for (int turn = 0; std::any_of(texts.begin(), texts.end(), growing); ++turn) {
            std::vector<Next> next;
            for (size_t slot = 0; slot < slots; ++slot) {
                const uint64_t piece = turn == 0 ? rng.below(context + 1) : rng.below(3);
                for (uint64_t i = 0; i < piece && growing(texts[slot]); ++i) {
                    const int32_t token = int32_t(rng.below(uint64_t(settings.vocab)));
                    const int32_t expert =
                        dense ? -1 : int32_t(rng.below(uint64_t(settings.num_experts)));
                    texts[slot].push_back(token);
                    experts[slot].push_back(expert);
                    next.push_back({int32_t(slot), token, expert});
                }
            }
            const std::vector<real> rows = append(incremental, next);
            const size_t V = size_t(settings.outputs);
            for (size_t n = 0; n < next.size(); ++n) {
                std::vector<real>& own = logits[size_t(next[n].slot)];
                own.insert(own.end(), rows.begin() + ptrdiff_t(n * V),
                           rows.begin() + ptrdiff_t((n + 1) * V));
            }
        }
        for (size_t slot = 0; slot < slots; ++slot) {
            CHECK(incremental.length(int64_t(slot)) == settings.context);
            const Tensor expected =
                full_logits(*decoder, texts[slot], dense ? Experts{} : experts[slot]);
            CHECK(distance(logits[slot], expected.values()) < (sizeof(real) == 8 ? 1e-11 : 1e-4));
        }
    }
}

TEST_CASE("incremental decoder: a row may be dense while its neighbours have experts") {
    const std::unique_ptr<Decoder> decoder = make_decoder(small_settings());
    IncrementalDecoder incremental(*decoder, 3);
    const std::vector<real> logits = append(incremental, {{0, 5, no_expert}, {1, 5, 2}, {2, 5, 3}});
    const double tolerance = sizeof(real) == 8 ? 1e-12 : 1e-5;
    const std::span<const real> all(logits);
    CHECK(distance(all.subspan(0, 7), full_logits(*decoder, {5}, {}).values()) < tolerance);
    CHECK(distance(all.subspan(7, 7), full_logits(*decoder, {5}, {2}).values()) < tolerance);
    CHECK(distance(all.subspan(14, 7), full_logits(*decoder, {5}, {3}).values()) < tolerance);
    CHECK(distance(all.subspan(0, 7), all.subspan(7, 7)) > 1e-3);
    CHECK(distance(all.subspan(7, 7), all.subspan(14, 7)) > 1e-3);
}

TEST_CASE("incremental decoder: long pieces go through in blocks, and only the last rows count") {
    DecoderSettings settings = small_settings();
    settings.context = 300;
    const std::unique_ptr<Decoder> decoder = make_decoder(settings);
    Rng rng(3);
    std::vector<int32_t> tokens(300);
    Experts experts(300);
    std::vector<Next> next(300);
    for (size_t t = 0; t < 300; ++t) {
        tokens[t] = int32_t(rng.below(11));
        experts[t] = int32_t(rng.below(4));
        next[t] = {0, tokens[t], experts[t]};
    }
    const Tensor expected = full_logits(*decoder, tokens, experts);
    IncrementalDecoder incremental(*decoder, 1);
    for (const size_t wanted : {0, 1, 40, 44, 45, 130, 299, 300}) {
        CAPTURE(wanted);
        incremental.clear();
        std::vector<real> logits(wanted * 7);
        incremental.append(next, logits);
        CHECK(incremental.length(0) == 300);
        CHECK(distance(logits, expected.values().subspan((300 - wanted) * 7)) <
              (sizeof(real) == 8 ? 1e-11 : 1e-4));
    }
}

TEST_CASE("incremental decoder: bits depend neither on neighbours nor on the number of threads") {
    const int before = threads();
    DecoderSettings settings = small_settings();
    settings.hidden = 400;  // several chunks
    settings.outputs = 3000;
    const std::unique_ptr<Decoder> decoder = make_decoder(settings);
    constexpr int32_t slots = int32_t(few_vectors);
    const auto token = [](int32_t slot, int32_t t) { return (3 * slot + 5 * t) % 11; };
    const auto expert = [](int32_t slot, int32_t t) { return (slot + t) % 5 - 1; };
    std::vector<std::vector<real>> alone;
    for (int32_t slot = 0; slot < slots; ++slot) {
        IncrementalDecoder one(*decoder, 1);
        std::vector<real> all;
        for (int32_t t = 0; t < 4; ++t) {
            const std::vector<real> logits = append(one, {{0, token(slot, t), expert(slot, t)}});
            all.insert(all.end(), logits.begin(), logits.end());
        }
        alone.push_back(all);
    }
    for (const int count : {1, 2, 5}) {
        set_threads(count);
        IncrementalDecoder together(*decoder, slots);
        for (int32_t t = 0; t < 4; ++t) {
            std::vector<Next> next;
            for (int32_t slot = 0; slot < slots; ++slot) {
                next.push_back({slot, token(slot, t), expert(slot, t)});
            }
            const std::vector<real> logits = append(together, next);
            for (size_t slot = 0; slot < size_t(slots); ++slot) {
                CHECK(std::memcmp(logits.data() + slot * 3000,
                                  alone[slot].data() + size_t(t) * 3000, 3000 * sizeof(real)) == 0);
            }
        }
    }
    set_threads(before);
}

TEST_CASE("incremental decoder: sequences are copied and cleared") {
    const std::unique_ptr<Decoder> decoder = make_decoder(small_settings());
    IncrementalDecoder incremental(*decoder, 3);
    append(incremental, {{1, 4, 0}, {1, 6, 2}, {2, 9, 1}});
    incremental.copy(1, 0);
    CHECK(incremental.length(0) == 2);
    CHECK(incremental.length(2) == 1);
    const std::vector<real> logits = append(incremental, {{0, 8, 3}, {1, 8, 3}});
    CHECK(std::equal(logits.begin(), logits.begin() + 7, logits.begin() + 7));
    CHECK(distance(std::span(logits).subspan(0, 7),
                   full_logits(*decoder, {4, 6, 8}, {0, 2, 3}).values().subspan(14)) <
          (sizeof(real) == 8 ? 1e-12 : 1e-5));
    incremental.clear();
    CHECK(incremental.length(1) == 0);
    CHECK(distance(append(incremental, {{1, 8, 3}}), full_logits(*decoder, {8}, {3}).values()) <
          (sizeof(real) == 8 ? 1e-12 : 1e-5));
}

TEST_CASE("incremental decoder: impossible requests are refused and change nothing") {
    const std::unique_ptr<Decoder> decoder = make_decoder(small_settings());
    IncrementalDecoder incremental(*decoder, 2);
    append(incremental, std::vector<Next>(13, Next{1, 3, 0}));
    std::vector<real> logits(7);
    const auto refused = [&](const std::vector<Next>& next, const char* message) {
        CHECK_THROWS_WITH_AS(incremental.append(next, logits), doctest::Contains(message), Error);
        CHECK(incremental.length(0) == 0);
        CHECK(incremental.length(1) == 13);
    };
    refused({{0, 1, 0}, {2, 1, 0}}, "no slot 2 among 2");
    refused({{0, 1, 0}, {-1, 1, 0}}, "no slot -1");
    refused({{0, 1, 0}, {0, 11, 0}}, "token 11");
    refused({{0, 1, 0}, {0, -1, 0}}, "token -1");
    refused({{0, 1, 0}, {0, 1, 4}}, "no expert 4 among 4");
    refused({{0, 1, 0}, {0, 1, -2}}, "no expert -2");
    refused({{1, 1, 0}, {0, 1, 0}, {1, 1, 0}}, "longer than the context of 14");
    logits.resize(15);
    refused({{0, 1, 0}, {0, 1, 0}, {0, 1, 0}}, "15 logits");
    logits.resize(14);
    refused({{0, 1, 0}}, "14 logits");
    logits.resize(7);
    CHECK_NOTHROW(incremental.append(std::vector<Next>{{1, 1, 0}}, logits));
}
