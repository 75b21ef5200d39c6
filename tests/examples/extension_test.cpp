// The proof that an extension is one file: a router, a mask family and a feed-forward network that
// this file alone knows, each with one line that registers it. The program then trains with them,
// is killed and resumed, evaluates, generates, reports and exports, and nothing else was edited.
// Read next: models/transformer/routers/hash.cpp, a router of the project; nn/masks.h,
// nn/feed_forward.h.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>
#include <stdlib.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "autograd/ops.h"
#include "core/vector_math.h"
#include "examples/smoe/flags.h"
#include "models/generation/generator.h"
#include "models/transformer/incremental_decoder.h"
#include "models/transformer/single_moe.h"
#include "nn/init.h"
#include "nn/linear.h"
#include "tests/examples/workshop.h"
#include "tests/models/small_run.h"

namespace smoe {
namespace {

// Scores of the experts for each token, which are learned; at odd positions the expert after the
// best one is taken. So it has weights, and token by token it needs a state.
class ToyRouter : public Router {
  public:
    ToyRouter(const ModelSettings& settings, uint64_t seed)
        : Router(settings.experts.count),
          rng_(seed),
          table_(Scope{}, settings.vocab_size, num_experts(), rng_) {}

    std::string description() const override { return "a toy table of scores"; }
    Module* module() override { return &table_; }

    int32_t expert_of(int32_t token, int64_t position) const {
        const int64_t K = num_experts();
        const real* const scores = table_.weight.value().data() + token * K;
        return int32_t((argmax(scores, K) + position) % K);
    }

    std::unique_ptr<Step> step(int64_t slots) const override {
        class ToyStep : public Step {
          public:
            ToyStep(const ToyRouter& router, int64_t slots)
                : router_(router), seen_(size_t(slots)) {}
            void choose(std::span<NextToken> next, std::span<Rng>) override {
                for (NextToken& one : next) {
                    one.expert = router_.expert_of(one.token, seen_[size_t(one.slot)]++ % 2);
                }
            }
            void clear(int32_t slot) override { seen_[size_t(slot)] = 0; }
            void copy(int32_t from, int32_t to) override {
                seen_[size_t(to)] = seen_[size_t(from)];
            }

          private:
            const ToyRouter& router_;
            std::vector<int64_t> seen_;  // tokens of each text
        };
        return std::make_unique<ToyStep>(*this, slots);
    }

    Lesson explore(const Sequences& sequences, Rng& chance, Rng&) const override {
        Lesson lesson;
        lesson.probabilities = softmax(table_.forward(sequences.tokens()));
        for (int64_t n = 0; n < sequences.size(); ++n) {
            lesson.experts.push_back(int32_t(chance.below(uint64_t(num_experts()))));
        }
        return lesson;
    }
    // Experts whose tokens lost much should have been less likely.
    Objectives objectives(const Lesson& lesson, const Tensor& losses,
                          const Sequences&) const override {
        return {
            {"regret", mean(mul(pick(lesson.probabilities, lesson.experts), Variable(losses)))}};
    }

  protected:
    Experts choose_experts(const Sequences& sequences, Rng&) const override {
        Experts experts;
        for (int64_t n = 0; n < sequences.size(); ++n) {
            experts.push_back(
                expert_of(sequences.tokens()[size_t(n)], sequences.positions()[size_t(n)] % 2));
        }
        return experts;
    }

  private:
    Rng rng_;
    Embedding table_;
};

// Expert k keeps the neurons whose number has the parity of k.
Tensor parity_masks(const MaskSettings& settings, int64_t width, Rng&) {
    const Tensor masks = Tensor::empty({settings.num_experts, width});
    for (int64_t i = 0; i < masks.numel(); ++i) {
        masks.data()[i] = (i / width + i % width) % 2 == 0 ? 1 : 0;
    }
    return masks;
}

// second(mask_e * gelu(first(x))): C -> F -> C.
class ToyFeedForward : public FeedForward {
  public:
    ToyFeedForward(const Scope& scope, const FeedForwardSizes& sizes, const MaskTables& tables,
                   Rng& init)
        : FeedForward(scope, sizes),
          first({this, "first"}, sizes.width, sizes.hidden, true, init),
          second({this, "second"}, sizes.hidden, sizes.width, false, init),
          mask(register_buffer("mask", tables.hidden)) {}

    StepNeeds step_needs(int64_t rows) const override {
        return {.parts = 1, .numbers = rows * sizes().hidden, .ids = 0};
    }
    std::vector<ProductCost> costs(int32_t) const override {
        const double CF = double(sizes().width) * double(sizes().hidden);
        return {{"first", CF, CF}, {"second", CF, CF}};
    }
    std::vector<Tensor> masks() const override { return {mask}; }

    Linear first, second;
    const Tensor& mask;

  private:
    Variable compute(const Variable& x, const Routing& routing) const override {
        const Variable hidden = gelu(first.forward(x));
        return second.forward(routing.is_dense() ? hidden
                                                 : mask_rows(hidden, mask, routing.experts));
    }
    void step_part(int64_t, const StepRows& rows, const real* x, const std::vector<RowMatrix>&,
                   StepMemory& memory, real* y) const override {
        const int64_t C = sizes().width, F = sizes().hidden;
        for (int64_t m = 0; m < rows.size(); ++m) {
            const int32_t expert = rows.experts[size_t(m)];
            real* const hidden = memory.numbers.data() + m * F;
            for (int64_t f = 0; f < F; ++f) {
                const real a = dot(x + m * C, first.weight.value().data() + f * C, C) +
                               first.bias->value().data()[f];
                const bool kept = expert == no_expert || mask.data()[expert * F + f] != 0;
                hidden[f] = kept ? a / 2 * (1 + std::erf(a / std::sqrt(real(2)))) : 0;
            }
            for (int64_t c = 0; c < C; ++c) {
                y[m * C + c] = dot(hidden, second.weight.value().data() + c * F, F);
            }
        }
    }
};

std::vector<SavedTensor> toy_saves(const FeedForwardSizes& s) {
    return {{"first.weight", {s.hidden, s.width}, true},
            {"first.bias", {s.hidden}, true},
            {"second.weight", {s.width, s.hidden}, true},
            {"mask", {s.num_experts, s.hidden}, false}};
}

const bool registered = [] {
    router_kinds().add(
        "toy", {.make = [](const ModelSettings& settings,
                           uint64_t seed) { return std::make_unique<ToyRouter>(settings, seed); },
                .check_sizes = [](const ModelSettings&, const std::map<std::string, Tensor>&,
                                  const std::string&) {}});
    mask_families().add("parity", {parity_masks});
    feed_forward_kinds().add(
        "toy", {.make = [](const Scope& scope, const FeedForwardSizes& sizes,
                           const MaskTables& tables, Rng& init) -> std::unique_ptr<FeedForward> {
                    return std::make_unique<ToyFeedForward>(scope, sizes, tables, init);
                },
                .saves = toy_saves});
    return true;
}();

// While one lives, the program that tests run is this one, with its registrations.
struct AsProgram {
    AsProgram() : program(std::getenv("SMOE_PROGRAM")) {
        ::setenv("SMOE_PROGRAM", "/proc/self/exe", 1);
        ::setenv("SMOE_AS_PROGRAM", "1", 1);
    }
    ~AsProgram() {
        ::setenv("SMOE_PROGRAM", program.c_str(), 1);
        ::unsetenv("SMOE_AS_PROGRAM");
    }
    std::string program;
};

const std::string toys =
    " --routing toy --mask-family parity --mask-where hidden --feed-forward toy ";

}  // namespace

TEST_CASE("extension: a toy model's sequences by steps equal its forward") {
    REQUIRE(registered);
    ModelSettings settings = small_config().model;
    settings.sizes.dropout = 0;
    settings.router.kind = "toy";
    settings.experts.mask_family = "parity";
    settings.experts.feed_forward = "toy";
    SingleMoe moe(settings, 3);
    moe.eval();
    const std::vector<int32_t> tokens = {299, 5, 17, 5, 200, 31};
    Rng chance(1);
    const Experts experts = moe.router->choose(Sequences::of(tokens), chance);
    const Tensor expected = moe.model.forward(Sequences::of(tokens), experts).value();

    IncrementalDecoder decoder(moe.model, 1);
    const auto router = moe.router->step(1);
    std::vector<Rng> chances(1, Rng(1));
    std::vector<real> logits(size_t(expected.size(1)));
    for (size_t t = 0; t < tokens.size(); ++t) {
        NextToken next{.slot = 0, .token = tokens[t], .expert = no_expert};
        router->choose({&next, 1}, chances);
        CHECK(next.expert == experts[t]);
        decoder.append({&next, 1}, logits);
        for (int64_t v = 0; v < expected.size(1); ++v) {
            CHECK(
                logits[size_t(v)] ==
                doctest::Approx(expected.data()[int64_t(t) * expected.size(1) + v]).epsilon(1e-4));
        }
    }
}

TEST_CASE(
    "extension: the program trains, is killed, resumes, evaluates, generates, reports, exports") {
    workshop();
    const AsProgram as_program;
    const std::string train = "train --data corpus/train.jsonl --valid corpus/valid.jsonl" +
                              tiny_settings() + toys + "--steps 8 --checkpoint-every 2 --run ";
    REQUIRE(has(done("train --help").out, "toy"));
    done(train + "toy_whole");
    // Killed at a call that writes, in the middle of the third checkpoint.
    smoe_program(train + "toy_killed", {.fault = "kill 40"});
    done("train --run toy_killed --resume");
    for (const char* file : {"model", "router", "state"}) {
        CHECK(contents(std::string("toy_killed/") + file + ".safetensors") ==
              contents(std::string("toy_whole/") + file + ".safetensors"));
    }
    CHECK(has(contents("toy_whole/config.json"), "\"mask_family\": \"parity\""));
    CHECK(has(contents("toy_whole/metrics.jsonl"), "\"router_regret\""));
    // Other experts would be another run.
    refused("train --run toy_whole --resume --steps 9 --mask-family bernoulli", 1, "--mask-family");

    const auto result =
        nlohmann::json::parse(done("eval toy_whole --data corpus/valid.jsonl --json").out);
    CHECK(result["loss"].get<double>() > 0);
    CHECK(result["expert_tokens"].size() == 10);
    CHECK(has(done("generate toy_whole --max-tokens 5 --show-experts").out, "experts"));
    done("report toy_whole");
    CHECK(has(contents("toy_whole/report.html"), "parity"));
    done("export toy_whole --hf toy_export");
    CHECK(has(contents("toy_export/README.md"), "a toy table of scores"));
    auto exported =
        nlohmann::json::parse(done("eval toy_export --data corpus/valid.jsonl --json").out);
    CHECK(exported["run"] == "toy_export");
    exported["run"] = result["run"];
    CHECK(exported == result);
}

}  // namespace smoe
#endif
