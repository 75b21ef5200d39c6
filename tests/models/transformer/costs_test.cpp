// Costs against a run of counted products: forward, forward and backward, and generation, in every
// form of the feed-forward network, for the model and for the learned router.
// Read next: tests/models/training/run_costs_test.cpp.
#include "models/transformer/costs.h"

#include <doctest/doctest.h>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/count_products.h"
#include "models/transformer/incremental_decoder.h"
#include "models/transformer/routers/learned.h"
#include "models/transformer/single_moe.h"

namespace smoe {
namespace {

// With 400 positions, attention takes several blocks of queries and two of keys.
DecoderSettings settings(const std::string& feed_forward) {
    return {.vocab = 50,
            .outputs = 40,
            .context = 400,
            .width = 16,
            .layers = 2,
            .heads = 2,
            .hidden = 48,
            .num_experts = 3,
            .mask_rate = 0.4,
            .feed_forward = feed_forward};
}

struct Text {
    Sequences sequences;
    Experts experts;
    std::vector<int32_t> targets;
    BatchShape shape;
};

// Sequences of these lengths. Two in three tokens have expert 0, one in three has expert 2.
Text text(const std::vector<int64_t>& lengths, bool dense) {
    Text made;
    std::vector<int64_t> offsets = {0};
    for (const int64_t length : lengths) {
        offsets.push_back(offsets.back() + length);
    }
    std::vector<int32_t> tokens;
    for (int32_t n = 0; n < offsets.back(); ++n) {
        tokens.push_back(n % 50);
        made.targets.push_back(n % 40);
        if (!dense) {
            made.experts.push_back(n % 3 == 0 ? 2 : 0);
        }
    }
    made.sequences = Sequences(tokens, offsets);
    made.shape = BatchShape::of(made.sequences, made.experts, 3);
    return made;
}

template <class Body>
double counted(const Body& body) {
    const CountProducts count;
    body();
    return double(count.multiply_adds());
}

void check_forward_and_backward(const DecoderSettings& s, const Text& t) {
    Rng init(1);
    const Decoder decoder(s, init);
    CHECK(counted([&] { backward(mean(decoder.losses(t.sequences, t.experts, t.targets))); }) ==
          decoder_costs(decoder, t.shape, Pass::training).total());
    const NoGrad no_grad;
    CHECK(counted([&] { decoder.forward(t.sequences, t.experts); }) ==
          decoder_costs(decoder, t.shape, Pass::inference).total());
}

}  // namespace

TEST_CASE("costs: forward and backward multiply as often as is said, in each form") {
    for (const char* form :
         {"masked", "masked-composed", "masked-fused", "masked-sparse", "masked-blocks"}) {
        for (const bool dense : {false, true}) {
            for (const bool recompute : {false, true}) {
                CAPTURE(form);
                CAPTURE(dense);
                CAPTURE(recompute);
                DecoderSettings s = settings(form);
                s.recompute = recompute;
                check_forward_and_backward(s, text({1, 64, 65, 400}, dense));
                check_forward_and_backward(s, text({2, 3}, dense));
            }
        }
    }
    // The form `masked` chooses by the number of rows: both choices were among these.
    Rng init(1);
    const Decoder decoder(settings("masked"), init);
    const FeedForward& ffn = *decoder.layers()[0]->ffn;
    CHECK(ffn.skips_masked(text({1, 64, 65, 400}, false).shape.expert_tokens));
    CHECK(!ffn.skips_masked(text({2, 3}, false).shape.expert_tokens));
}

TEST_CASE("costs: masks on one layer only, and logits that are too many to keep") {
    for (const MaskWhere where : {MaskWhere::hidden, MaskWhere::output}) {
        DecoderSettings s = settings("masked-sparse");
        s.mask_where = where;
        check_forward_and_backward(s, text({5, 300}, false));
    }
    DecoderSettings s = settings("masked");
    s.width = 4;
    s.layers = 1;
    s.outputs = 12000;
    const Text t = text({400}, false);
    REQUIRE(!keeps_logits(400, 12000));
    check_forward_and_backward(s, t);
}

TEST_CASE("costs: gates inside the model, that learn or not, in each block or once") {
    for (const char* kind : {"gate", "gate_first", "frozen", "hash_layers"}) {
        for (const bool recompute : {false, true}) {
            CAPTURE(kind);
            CAPTURE(recompute);
            DecoderSettings s = settings("masked-fused");  // the same whoever the experts are
            s.recompute = recompute;
            ModelSettings model;
            model.experts.count = 3;
            s.block_router = router_kinds().find(kind).inside(model);
            Text t = text({1, 64, 65, 400}, true);
            t.shape.expert_tokens.assign(3, t.shape.tokens / 3);
            check_forward_and_backward(s, t);
            Rng init(1);
            const double gates = kind == std::string("hash_layers")  ? 0
                                 : kind == std::string("gate_first") ? 1
                                                                     : 2;
            CHECK(decoder_costs(Decoder(s, init), t.shape, Pass::inference).router ==
                  gates * 530 * 3 * 16);
        }
    }
}

TEST_CASE("costs: the parts are those of the formulas") {
    Rng init(1);
    const Decoder decoder(settings("masked"), init);
    const Text t = text({3}, true);
    const Costs forward = decoder_costs(decoder, t.shape, Pass::inference);
    CHECK(forward.attention_projections == 2 * 3 * 4 * 16 * 16);
    CHECK(forward.attention_scores == 2 * 2 * 3 * 3 * 16);
    CHECK(forward.feed_forward == 2 * 3 * 2 * 16 * 48);
    CHECK(forward.output_projection == 3 * 16 * 40);
    CHECK(forward.router == 0);
    const Costs both = decoder_costs(decoder, t.shape, Pass::training);
    CHECK(both.attention_projections == 3 * forward.attention_projections);
    CHECK(both.attention_scores == 7 * forward.attention_scores / 2);
    CHECK(both.feed_forward == 3 * forward.feed_forward);
    CHECK(both.output_projection == 3 * forward.output_projection);
    CHECK(both.times(2).total() == 2 * both.total());
}

TEST_CASE("costs: generation multiplies as often as is said if no neuron is silent, else less") {
    for (const double rate : {0.1, 0.4, 0.8}) {  // few gaps are not left out
        for (const bool dense : {false, true}) {
            CAPTURE(rate);
            CAPTURE(dense);
            DecoderSettings s = settings("masked");
            s.hidden = 300;  // two parts of a step
            s.mask_rate = rate;
            Rng init(1);
            Decoder decoder(s, init);
            decoder.eval();
            const Text t = text({30}, dense);
            const auto generate = [&] {
                IncrementalDecoder steps(decoder, 1);
                std::vector<real> logits(40);
                return counted([&] {
                    for (size_t n = 0; n < 30; ++n) {
                        const IncrementalDecoder::Next next{
                            .slot = 0,
                            .token = t.sequences.tokens()[n],
                            .expert = dense ? no_expert : t.experts[n]};
                        steps.append({&next, 1}, logits);
                    }
                });
            };
            const double said = decoder_costs(decoder, t.shape, Pass::generation).total();
            CHECK(generate() < said);
            for (const std::unique_ptr<Block>& layer : decoder.layers()) {
                layer->ffn->state_dict().at("lin_1.linear.bias").fill(100);
            }
            CHECK(generate() == said);
        }
    }
}

TEST_CASE("costs: the learned router's, for choosing, for learning and in steps") {
    DecoderSettings s = settings("masked");
    s.outputs = s.num_experts;
    LearnedRouter router(s, 10, Rng(1));
    const Text t = text({1, 64, 65, 400}, false);
    Rng chance(1), dropout(2);
    CHECK(counted([&] {
              const Router::Lesson lesson = router.explore(t.sequences, chance, dropout);
              const Tensor losses = Tensor::full({t.sequences.size()}, 1);
              for (const auto& [name, objective] : router.objectives(lesson, losses, t.sequences)) {
                  if (name == "distribution") {
                      backward(objective);
                  }
              }
          }) == router.cost(t.shape, Pass::training));
    router.eval();
    CHECK(counted([&] { router.choose(t.sequences, chance); }) ==
          router.cost(t.shape, Pass::inference));
    CHECK(router.cost(t.shape, Pass::generation) ==
          decoder_costs(router.network(), t.shape.dense(), Pass::generation).total());
    for (const char* kind : {"hash", "random", "none"}) {
        CHECK(router_kinds().find(kind).make({}, 1)->cost(t.shape, Pass::training) == 0);
    }
}

TEST_CASE("costs: parameters, and those that have a part in a token") {
    ModelSettings model;
    model.sizes = {.width = 16, .layers = 2, .heads = 2, .hidden = 32, .dropout = 0};
    model.router.sizes = {.width = 8, .layers = 1, .heads = 2, .hidden = 16, .dropout = 0};
    model.vocab_size = 50;
    model.experts.count = 2;
    for (const char* kind : {"none", "router", "hash", "gate", "gate_first", "frozen"}) {
        CAPTURE(kind);
        model.router.kind = kind;
        const SingleMoe moe(model, 1);
        const ParameterCounts counts = parameter_counts(moe);
        CHECK(counts.total == double(moe.model.parameter_count()));
        const std::string name = kind;
        CHECK(counts.router == (name == "router"       ? double(moe.router->parameter_count())
                                : name == "gate"       ? 2 * 2 * 16
                                : name == "gate_first" ? 2 * 16
                                                       : 0));
        double masked = 0;  // weights and biases that experts 0 and 1 leave out, in the mean
        for (const std::unique_ptr<Block>& layer : moe.model.layers()) {
            const auto state = layer->ffn->state_dict();
            for (int64_t e = 0; e < 2; ++e) {
                const real* const hidden = state.at("lin_1.mask").data() + e * 32;
                const real* const output = state.at("lin_2.mask").data() + e * 16;
                for (int64_t h = 0; h < 32; ++h) {
                    masked += hidden[h] == 0 ? 0.5 * (16 + 1) : 0;
                    for (int64_t o = 0; o < 16; ++o) {
                        masked += hidden[h] == 0 || output[o] == 0 ? 0.5 : 0;
                    }
                }
                for (int64_t o = 0; o < 16; ++o) {
                    masked += output[o] == 0 ? 0.5 : 0;
                }
            }
        }
        CHECK(masked > 0);
        CHECK(counts.active == counts.total - (moe.router->is_dense() ? 0 : masked));
    }
}

}  // namespace smoe
