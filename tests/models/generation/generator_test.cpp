// Generation against the slow, obvious version, which computes the whole text anew for every token.
// Also where a text must stop.
// Read next: generator_memory_test.cpp.
#include "models/generation/generator.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/check.h"
#include "core/threads.h"
#include "models/training/config.h"
#include "tests/error_of.h"

using namespace smoe;

namespace {

constexpr int32_t vocab = 11, end_of_text = vocab - 1;
constexpr int64_t context = 14;
constexpr int64_t no_limit = INT64_MAX;
const std::vector<std::string> routings = {"router", "hash", "random", "none"};

std::unique_ptr<SingleMoe> make_moe(const std::string& routing) {
    Config config;
    config.model.sizes = {.width = 16, .layers = 2, .heads = 2, .hidden = 40, .dropout = 0.1};
    config.model.router.sizes = {
        .width = 12, .layers = 2, .heads = 3, .hidden = 20, .dropout = 0.1};
    config.model.vocab_size = vocab;
    config.model.context = context;
    config.model.experts.count = 4;
    config.model.experts.mask_rate = 0.4;
    config.model.router.kind = routing;
    auto moe = std::make_unique<SingleMoe>(config.model, config.seed);
    moe->eval();
    return moe;
}

struct Text {
    std::vector<int32_t> ids, experts;
    bool operator==(const Text&) const = default;
};

std::vector<Text> generate(const SingleMoe& moe, int64_t samples,
                           const std::vector<int32_t>& prompt, const Sampling& sampling,
                           uint64_t seed, int64_t max_tokens = no_limit) {
    std::vector<Text> texts(size_t(samples), Text{});
    Generator generator(moe, end_of_text, samples);
    generator.run(prompt, sampling, seed, max_tokens, [&](const Generator::Token& token) {
        texts[size_t(token.sample)].ids.push_back(token.id);
        texts[size_t(token.sample)].experts.push_back(token.expert);
    });
    return texts;
}

Tensor full_logits(const SingleMoe& moe, const std::vector<int32_t>& tokens,
                   const Experts& experts) {
    const NoGrad no_grad;
    return moe.model.forward(Sequences::of(tokens), experts).value();
}

// One sample, everything computed anew for each token.
Text generate_slowly(const SingleMoe& moe, const std::string& routing, int64_t sample,
                     const std::vector<int32_t>& prompt, const Sampling& sampling, uint64_t seed) {
    Rng prompt_rng = stream(seed, Stream::generation);
    Rng rng = stream(seed, Stream::generation, 1 + uint64_t(sample));
    std::vector<int32_t> tokens = {end_of_text};
    tokens.insert(tokens.end(), prompt.begin(), prompt.end());
    Experts experts = moe.router->choose(Sequences::of(tokens), prompt_rng);
    Sampler sampler;
    bool ended = false;
    while (!ended && int64_t(tokens.size()) < context) {
        const Tensor logits = full_logits(moe, tokens, experts);
        const Tensor last = logits.narrow(logits.size(0) - 1, 1);
        const int32_t token = sampler.draw(last.values(), sampling, rng);
        tokens.push_back(token);
        ended = token == end_of_text;
        if (ended) {
            experts.push_back(no_expert);
        } else if (routing == "random") {
            experts.push_back(moe.router->choose(Sequences::of({token}), rng)[0]);
        } else {
            experts = moe.router->choose(Sequences::of(tokens), rng);
        }
    }
    if (routing == "none") {
        experts.assign(tokens.size(), no_expert);
    }
    return {{tokens.begin() + 1, tokens.end()}, {experts.begin() + 1, experts.end()}};
}

}  // namespace

TEST_CASE("generator: the same text as with everything computed anew") {
    for (const std::string& routing : routings) {
        const auto moe = make_moe(routing);
        for (const char* const kind : {"greedy", "multinomial", "nucleus"}) {
            for (const std::vector<int32_t>& prompt :
                 {std::vector<int32_t>{}, {3}, {1, 2, 3, 4, 5, 6, 7}}) {
                CAPTURE(routing);
                CAPTURE(kind);
                CAPTURE(prompt.size());
                const std::vector<Text> texts = generate(*moe, 3, prompt, {.kind = kind}, 21);
                for (size_t i = 0; i < texts.size(); ++i) {
                    const Text slow =
                        generate_slowly(*moe, routing, int64_t(i), prompt, {.kind = kind}, 21);
                    CHECK(texts[i].ids == slow.ids);
                    CHECK(texts[i].experts == slow.experts);
                }
            }
        }
    }
}

TEST_CASE("generator: a text does not depend on its neighbours, on threads or on earlier runs") {
    const int before = threads();
    for (const std::string& routing : routings) {
        CAPTURE(routing);
        const auto moe = make_moe(routing);
        const Sampling wild{.kind = "multinomial", .temperature = 1.5};
        const std::vector<Text> many = generate(*moe, 9, {2, 4}, wild, 5);
        for (const int64_t samples : {1, 2, 5}) {
            set_threads(int(samples));
            const std::vector<Text> few = generate(*moe, samples, {2, 4}, wild, 5);
            CHECK(std::equal(few.begin(), few.end(), many.begin()));
        }
        CHECK(std::count(many.begin(), many.end(), many[0]) == 1);
        CHECK(generate(*moe, 1, {2, 4}, wild, 6) != generate(*moe, 1, {2, 4}, wild, 5));

        Generator generator(*moe, end_of_text, 9);
        for (const bool first : {true, false}) {
            std::vector<Text> texts(9);
            const std::vector<int32_t> prompt =
                first ? std::vector<int32_t>{1, 1, 1, 1, 1} : std::vector<int32_t>{2, 4};
            generator.run(prompt, wild, first ? 1 : 5, no_limit,
                          [&](const Generator::Token& token) {
                              texts[size_t(token.sample)].ids.push_back(token.id);
                              texts[size_t(token.sample)].experts.push_back(token.expert);
                          });
            CHECK((texts == many) == !first);
        }
        if (routing != "random") {  // there the experts differ, and so do texts
            const std::vector<Text> greedy = generate(*moe, 4, {2}, {.kind = "greedy"}, 1);
            CHECK(std::count(greedy.begin(), greedy.end(), greedy[0]) == 4);
            CHECK(greedy[0] == generate(*moe, 1, {2}, {.kind = "greedy"}, 2)[0]);
        }
    }
    set_threads(before);
}

TEST_CASE("generator: every text stops at its end of text, at the context or after max_tokens") {
    const auto moe = make_moe("router");
    const std::vector<int32_t> prompt = {7, 8};
    for (const int64_t max_tokens : {int64_t(0), int64_t(1), int64_t(5), no_limit}) {
        CAPTURE(max_tokens);
        const int64_t room = context - 1 - int64_t(prompt.size());
        const size_t longest = prompt.size() + size_t(std::min(max_tokens, room));
        int ended = 0, full = 0;
        for (const Text& text :
             generate(*moe, 40, prompt, {.kind = "multinomial"}, 3, max_tokens)) {
            REQUIRE(text.ids.size() >= prompt.size());
            REQUIRE(text.ids.size() <= longest);
            CHECK(std::equal(prompt.begin(), prompt.end(), text.ids.begin()));
            const auto end = std::find(text.ids.begin(), text.ids.end(), end_of_text);
            if (end == text.ids.end()) {
                CHECK(text.ids.size() == longest);
                ++full;
            } else {
                CHECK(end + 1 == text.ids.end());
                ++ended;
            }
            for (size_t t = 0; t < text.ids.size(); ++t) {
                CHECK((text.experts[t] == no_expert) == (text.ids[t] == end_of_text));
            }
        }
        CHECK(full > 0);
        CHECK((ended > 0) == (max_tokens > 0));
    }
}

TEST_CASE("generator: all samples are reported at the same time") {
    const auto moe = make_moe("hash");
    Generator generator(*moe, end_of_text, 3);
    std::vector<int32_t> samples;
    generator.run({1, 2}, {.kind = "greedy"}, 1, 1,
                  [&](const Generator::Token& token) { samples.push_back(int32_t(token.sample)); });
    CHECK(samples == std::vector<int32_t>{0, 1, 2, 0, 1, 2, 0, 1, 2});
}

TEST_CASE("generator: prompts up to the context, and not beyond") {
    const auto moe = make_moe("router");
    Generator generator(*moe, end_of_text, 2);
    CHECK(generator.longest_prompt() == context - 1);
    for (const int64_t length : {context - 2, context - 1}) {
        const std::vector<int32_t> prompt(size_t(length), 3);
        for (const Text& text : generate(*moe, 2, prompt, {}, 1)) {
            CHECK(int64_t(text.ids.size()) == context - 1);
        }
    }
    const auto nothing = [](const Generator::Token&) { FAIL("a token was reported"); };
    const std::string message = error_of(
        [&] { generator.run(std::vector<int32_t>(size_t(context), 3), {}, 1, 5, nothing); });
    CHECK(message.find("14 tokens; 13 fit") != message.npos);
}

TEST_CASE("generator: impossible requests are refused") {
    const auto moe = make_moe("router");
    Generator generator(*moe, end_of_text, 1);
    const auto nothing = [](const Generator::Token&) { FAIL("a token was reported"); };
    const std::vector<int32_t> unknown = {vocab}, negative = {-1}, empty;
    CHECK_THROWS_AS(generator.run(unknown, {}, 1, 5, nothing), Error);
    CHECK_THROWS_AS(generator.run(negative, {}, 1, 5, nothing), Error);
    CHECK_THROWS_AS(generator.run(empty, {.temperature = 0}, 1, 5, nothing), Error);
    CHECK_THROWS_AS(generator.run(empty, {}, 1, -1, nothing), Error);
    CHECK_THROWS_AS(Generator(*moe, vocab, 1), Error);
    CHECK_THROWS_AS(Generator(*moe, -1, 1), Error);
    for (const int64_t samples : {int64_t(0), int64_t(-1), Generator::max_samples + 1, INT64_MAX}) {
        CHECK_THROWS_AS(Generator(*moe, end_of_text, samples), Error);
    }
    moe->train();
    CHECK_THROWS_AS(generator.run(empty, {}, 1, 5, nothing), Error);
    moe->model.eval();
    CHECK_THROWS_AS(generator.run(empty, {}, 1, 5, nothing), Error);
}
