// Texts that join and leave while others are written: each is the text that it would be alone. Also
// what is told of a token, and experts that are forced or banned.
// Read next: scheduler_test.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>

#include "autograd/ops.h"
#include "core/check.h"
#include "core/threads.h"
#include "models/generation/generator.h"
#include "tests/models/small_run.h"

namespace smoe {
namespace {

constexpr int32_t end_of_text = 299;

std::unique_ptr<SingleMoe> make_moe(const std::string& routing) {
    Config config = small_config();
    config.model.router.kind = routing;
    config.model.experts.mask_rate = 0.4;
    auto moe = std::make_unique<SingleMoe>(config.model, config.seed);
    moe->eval();
    return moe;
}

struct Written {
    std::vector<int32_t> ids, experts;
    std::vector<double> log_probabilities;
    std::optional<End> end;
    bool operator==(const Written&) const = default;
};

// What a generator reports, by place.
struct Desk {
    std::map<int64_t, Written> texts;

    bool pass(Generator& generator) {
        return generator.pass(
            [this](const Generator::Token& token) {
                Written& text = texts[token.sample];
                text.ids.push_back(token.id);
                text.experts.push_back(token.expert);
                text.log_probabilities.push_back(
                    std::isnan(token.log_probability) ? 1 : token.log_probability);
            },
            [this](int64_t place, End why) { texts[place].end = why; });
    }
};

Written alone(const SingleMoe& moe, const TextRequest& request) {
    Generator generator(moe, end_of_text, 1);
    Desk desk;
    generator.join(request);
    while (desk.pass(generator)) {
    }
    return desk.texts[0];
}

std::vector<TextRequest> many_requests() {
    std::vector<TextRequest> requests;
    Rng rng(3);
    for (uint64_t seed = 0; seed < 40; ++seed) {
        TextRequest request{.prompt = {}, .sampling = {.kind = "multinomial"}, .seed = seed};
        for (uint64_t i = rng.below(20); i > 0; --i) {
            request.prompt.push_back(int32_t(rng.below(299)));
        }
        request.max_tokens = int64_t(rng.below(25));
        request.sampling.repetition_penalty = seed % 3 == 0 ? 1.3 : 1;
        request.log_probabilities = seed % 2 == 0;
        request.of_prompt = seed % 4 == 0;
        requests.push_back(request);
    }
    return requests;
}

}  // namespace

TEST_CASE("joining: a text is the same alone and among others that come and go") {
    const int before = threads();
    for (const char* const routing : {"router", "hash_bigram", "random", "none", "gate"}) {
        CAPTURE(routing);
        const auto moe = make_moe(routing);
        const std::vector<TextRequest> requests = many_requests();
        set_threads(2);
        Generator generator(*moe, end_of_text, 7);
        Desk desk;
        std::map<int64_t, size_t> running;  // request by place
        size_t next = 0, compared = 0;
        for (int pass = 0; next < requests.size() || !running.empty(); ++pass) {
            REQUIRE(pass < 2000);
            if (pass % 5 == 3 && running.size() > 3) {  // one leaves in the middle
                generator.leave(running.begin()->first);
                desk.texts.erase(running.begin()->first);
                running.erase(running.begin());
            }
            while (next < requests.size() && generator.free_places() > 0 && pass % 2 == 0) {
                const std::vector<int64_t> places = generator.join(requests[next]);
                running[places.at(0)] = next++;
            }
            CHECK(generator.free_places() == 7 - int64_t(running.size()));
            desk.pass(generator);
            for (auto at = running.begin(); at != running.end();) {
                if (!desk.texts[at->first].end.has_value()) {
                    ++at;
                    continue;
                }
                CAPTURE(at->second);
                set_threads(1);
                CHECK(desk.texts[at->first] == alone(*moe, requests[at->second]));
                set_threads(2);
                ++compared;
                desk.texts.erase(at->first);
                at = running.erase(at);
            }
        }
        CHECK(compared > 20);
        CHECK(compared < requests.size());  // some left
    }
    set_threads(before);
}

TEST_CASE("joining: samples of one prompt, of which the first leaves while it is read") {
    const auto moe = make_moe("random");
    TextRequest request{.prompt = std::vector<int32_t>(30, 5),
                        .sampling = {.kind = "multinomial"},
                        .seed = 9,
                        .samples = 3};
    Desk all;
    Generator generator(*moe, end_of_text, 4);
    generator.join(request);
    while (all.pass(generator)) {
    }
    CHECK(all.texts[1] != all.texts[2]);

    Desk rest;
    generator.join(request);
    int seen = 0;
    while (generator.pass(
        [&](const Generator::Token& token) {
            if (token.sample == 0 && ++seen == 4) {
                generator.leave(0);
            }
            CHECK((token.sample != 0 || seen <= 4));
            rest.texts[token.sample].ids.push_back(token.id);
        },
        [](int64_t place, End) { CHECK(place != 0); })) {
    }
    for (const int64_t place : {1, 2}) {
        CHECK(rest.texts[place].ids == all.texts[place].ids);
    }
    CHECK(seen == 4);
    CHECK(generator.free_places() == 4);
    // Before the first pass.
    const std::vector<int64_t> places = generator.join(request);
    generator.leave(places[0]);
    generator.leave(places[1]);
    CHECK(generator.free_places() == 3);
    Desk last;
    while (last.pass(generator)) {
    }
    CHECK(last.texts.size() == 1);
    CHECK(last.texts[places[2]] == all.texts[2]);
}

TEST_CASE("joining: a newcomer has its first token in the pass that ends its prompt") {
    Config config = small_config();
    config.model.context = 380;
    SingleMoe moe(config.model, config.seed);
    moe.eval();
    Generator generator(moe, end_of_text, 17);
    Desk desk;
    for (uint64_t seed = 0; seed < 16; ++seed) {
        generator.join({.prompt = {},
                        .sampling = {.kind = "greedy", .repetition_penalty = 1e6},
                        .seed = seed});
    }
    for (int i = 0; i < 20; ++i) {
        desk.pass(generator);
    }
    REQUIRE(generator.free_places() == 1);
    for (const int64_t length : {0, 5, 250}) {
        const int64_t place =
            generator.join({.prompt = std::vector<int32_t>(size_t(length), 7), .max_tokens = 1})
                .at(0);
        int passes = 0;
        while (int64_t(desk.texts[place].ids.size()) <= length) {
            desk.pass(generator);
            ++passes;
        }
        CHECK(passes == (length < Generator::rows_of_prompts ? 1 : 2));
        generator.leave(place);
        desk.texts.erase(place);
    }
}

TEST_CASE("joining: log probabilities and the router's, of prompt and text") {
    const auto moe = make_moe("router");
    Generator generator(*moe, end_of_text, 2);
    struct Told {
        int32_t id, expert;
        double log_probability;
        std::vector<Sampler::Ranked> likeliest;
        std::vector<real> router;
    };
    std::vector<Told> told;
    generator.run({.prompt = {4, 8, 15, 16},
                   .seed = 5,
                   .max_tokens = 9,
                   .log_probabilities = true,
                   .of_prompt = true,
                   .likeliest = 3,
                   .router = true},
                  [&](const Generator::Token& token) {
                      told.push_back({token.id,
                                      token.expert,
                                      token.log_probability,
                                      {token.likeliest.begin(), token.likeliest.end()},
                                      {token.router.begin(), token.router.end()}});
                  });
    std::vector<int32_t> tokens = {end_of_text};
    for (const Told& token : told) {
        tokens.push_back(token.id);
    }
    REQUIRE(tokens.size() > 6);
    const NoGrad no_grad;
    Rng chance(1);
    const Sequences text = Sequences::of(tokens);
    const Experts experts = moe->router->choose(text, chance);
    const Tensor predicted = softmax(moe->model.forward(text, experts)).value();
    const Tensor routing = moe->router->probabilities(text);
    for (size_t t = 0; t < told.size(); ++t) {
        const real* const before = predicted.data() + int64_t(t) * predicted.size(-1);
        CHECK(std::exp(told[t].log_probability) ==
              doctest::Approx(double(before[told[t].id])).epsilon(1e-4));
        REQUIRE(told[t].likeliest.size() == 3);
        for (const Sampler::Ranked& other : told[t].likeliest) {
            CHECK(std::exp(double(other.value)) ==
                  doctest::Approx(double(before[other.id])).epsilon(1e-4));
        }
        if (told[t].id == end_of_text) {
            CHECK(told[t].router.empty());
            continue;
        }
        CHECK(told[t].expert == experts[t + 1]);
        REQUIRE(told[t].router.size() == 4);
        for (size_t k = 0; k < 4; ++k) {
            CHECK(double(told[t].router[k]) ==
                  doctest::Approx(double(routing.data()[(t + 1) * 4 + k])).epsilon(1e-4));
        }
    }
}

TEST_CASE("joining: experts that are forced or banned") {
    const TextRequest plain{
        .prompt = {3, 1, 4, 1, 5}, .sampling = {.kind = "multinomial"}, .seed = 2};
    for (const char* const routing : {"router", "hash", "random"}) {
        CAPTURE(routing);
        const auto moe = make_moe(routing);
        const Written free = alone(*moe, plain);
        for (const int32_t forced : {no_expert, 0, 3}) {
            TextRequest request = plain;
            request.experts.forced = forced;
            const Written text = alone(*moe, request);
            for (size_t t = 0; t < text.ids.size(); ++t) {
                CHECK(text.experts[t] == (text.ids[t] == end_of_text ? no_expert : forced));
            }
            CHECK(text.ids.size() > 5);
        }
        const int32_t often = free.experts[0];
        TextRequest banned = plain;
        banned.experts.banned = {often, (often + 2) % 4};
        const Written text = alone(*moe, banned);
        for (const int32_t expert : text.experts) {
            CHECK(std::ranges::count(banned.experts.banned, expert) == 0);
        }
        // All but one banned is the same as that one forced.
        TextRequest only = plain, forced = plain;
        only.experts.banned = {0, 1, 3};
        forced.experts.forced = 2;
        CHECK(alone(*moe, only) == alone(*moe, forced));
        banned.experts.banned = {0, 1, 2, 3};
        CHECK_THROWS_AS(alone(*moe, banned), Error);
        for (const int32_t unknown : {-2, 4}) {
            forced.experts.forced = unknown;
            CHECK_THROWS_AS(alone(*moe, forced), Error);
            banned.experts.banned = {unknown};
            CHECK_THROWS_AS(alone(*moe, banned), Error);
        }
    }
    TextRequest request = plain;
    request.experts.forced = 0;
    CHECK_THROWS_AS(alone(*make_moe("none"), request), Error);
}

TEST_CASE("joining: an expert that is forced inside the model") {
    for (const char* const routing : {"gate", "gate_first", "hash_layers", "frozen"}) {
        CAPTURE(routing);
        const auto moe = make_moe(routing);
        TextRequest request{.prompt = {3, 1, 4, 1, 5},
                            .sampling = {.kind = "greedy"},
                            .max_tokens = 12,
                            .log_probabilities = true};
        const Written free = alone(*moe, request);
        std::vector<Written> texts;
        for (const int32_t forced : {0, 3}) {
            request.experts.forced = forced;
            const Written text = texts.emplace_back(alone(*moe, request));
            CHECK(text != free);
            CHECK(text.experts == Experts(text.ids.size(), forced));
            // Against a pass over all of it in which each block is given this expert.
            std::vector<int32_t> tokens = {end_of_text};
            tokens.insert(tokens.end(), text.ids.begin(), text.ids.end() - 1);
            const NoGrad no_grad;
            const ExpertHook force = [forced](int64_t, const Tensor&, Experts& experts) {
                experts.assign(experts.size(), forced);
            };
            const Tensor logits =
                moe->model.forward(Sequences::of(tokens), {}, nullptr, force).value();
            for (size_t t = request.prompt.size(); t < text.ids.size(); ++t) {
                const auto row = logits.narrow(int64_t(t), 1);
                CHECK(text.log_probabilities[t] ==
                      doctest::Approx(log_probability(row.values(), text.ids[t])).epsilon(1e-4));
            }
        }
        CHECK(texts[0] != texts[1]);
        request.experts.forced = no_expert;
        CHECK_THROWS_AS(alone(*moe, request), Error);
        request.experts = {.banned = {1}};
        CHECK_THROWS_AS(alone(*moe, request), Error);
    }
}

TEST_CASE("joining: why a text ended, and requests for which there is no room") {
    const auto moe = make_moe("hash");
    const auto end_of = [&](int64_t length, int64_t max_tokens) {
        return alone(*moe, {.prompt = std::vector<int32_t>(size_t(length), 3),
                            .sampling = {.kind = "greedy"},
                            .max_tokens = max_tokens})
            .end;
    };
    CHECK(end_of(5, 0) == End::max_tokens);
    CHECK(end_of(0, 0) == End::max_tokens);
    CHECK(end_of(5, 3) == End::max_tokens);
    CHECK(end_of(39, 3) == End::context);
    CHECK(end_of(37, 100) == End::context);
    CHECK_THROWS_AS(end_of(40, 3), Error);
    Generator generator(*moe, end_of_text, 3);
    generator.join({.prompt = {1}, .samples = 2});
    CHECK_THROWS_AS(generator.join({.prompt = {1}, .samples = 2}), Error);
    generator.clear();
    CHECK(generator.free_places() == 3);
    for (const End end : {End::end_of_text, End::stop_string, End::interrupted}) {
        CHECK(enum_named<End>(name_of(end)) == end);
    }
}

}  // namespace smoe
