// Stage 9: the block of a transformer. How it goes on position by position is tested by
// tests/nn/step_test.cpp and tests/models/transformer/incremental_decoder_test.cpp.
// Read next: stage_10.cpp.
#include <cmath>

#include "models/transformer/decoder.h"
#include "tests/autograd/textbook.h"
#include "tests/course/course.h"

using namespace smoe;

TEST_CASE("stage 9: sinusoidal_positions") {
    const Tensor expected = Tensor::empty({5, 4});
    for (int64_t t = 0; t < 5; ++t) {
        const double slow = double(t) / 100;  // 10000^(2/4)
        const double row[] = {std::sin(double(t)), std::cos(double(t)), std::sin(slow),
                              std::cos(slow)};
        for (int64_t i = 0; i < 4; ++i) {
            expected.data()[t * 4 + i] = real(row[i]);
        }
    }
    check_equal("sinusoidal_positions(5, 4)", sinusoidal_positions(5, 4), expected);
}

TEST_CASE("stage 9: Block::forward") {
    const DecoderSettings settings{.vocab = 5,
                                   .outputs = 5,
                                   .context = 8,
                                   .width = 8,
                                   .layers = 1,
                                   .heads = 2,
                                   .hidden = 12,
                                   .dropout = 0.5,
                                   .num_experts = 3,
                                   .mask_rate = 0.4};
    Rng init(1);
    Decoder decoder(settings, init);
    const Block& block = *decoder.layers()[0];
    const Tensor x = random_tensor({5, 8}, 2), tokens = random_tensor({5, 8}, 3);
    const Sequences sequences({0, 1, 2, 3, 4}, {0, 3, 5});
    const auto routing = std::make_shared<const Routing>(Experts{0, 2, 1, 0, 2}, 3);
    const auto norm = [](const LayerNorm& layer, const Variable& a, const Tensor& b) {
        return textbook::layer_norm(add(a, Variable(b)).value(), layer.weight.value(),
                                    layer.bias.value(), double(norm_eps));
    };
    for (const bool with_tokens : {false, true}) {
        const Variable given = with_tokens ? Variable(tokens) : Variable();
        const Tensor found =
            block.forward(Variable(x), {sequences, routing, given, {}}, {{{0, 0}, {0, 0}}}).value();
        const Tensor y =
            norm(block.norm1, Variable(x), block.attn.forward(Variable(x), sequences).value());
        const Variable in = with_tokens ? add(Variable(y), given) : Variable(y);
        check_equal(with_tokens ? "a block that reads the tokens' embeddings" : "a block", found,
                    norm(block.norm2, Variable(y), block.ffn->forward(in, *routing).value()));
    }
    // A block with a router of its own: the router reads what the network reads, under the number of
    // the block, and tells the hook.
    DecoderSettings routed = settings;
    struct Fixed : BlockRouter {
        mutable Tensor seen;
        using BlockRouter::BlockRouter;
        Choice choose(const Variable& in, const Sequences&) const override {
            seen = in.value();
            return {Experts{0, 2, 1, 0, 2}, {}};
        }
        bool choose_step(const StepRows&, const real*, StepMemory&, std::span<int32_t>,
                         std::span<real>) const override {
            return false;
        }
    };
    routed.block_router = BlockRouterKind{[](const Scope& scope, int64_t, int64_t, Rng&) {
                                              return std::make_unique<Fixed>(scope, 3);
                                          },
                                          [](int64_t) { return std::vector<SavedTensor>{}; }};
    Rng again(1);
    const Block own(Scope{}, routed, 4, again);
    int64_t told = -1;
    own.forward(Variable(x),
                {sequences, nullptr, Variable(tokens),
                 [&](int64_t number, const Tensor&, Experts&) { told = number; }},
                {{{0, 0}, {0, 0}}});
    CHECK_MESSAGE(told == 4, "the hook of block 4 should be told 4, found " << told);
    const Tensor y = norm(own.norm1, Variable(x), own.attn.forward(Variable(x), sequences).value());
    check_equal("what the router of a block reads", static_cast<const Fixed&>(*own.router).seen,
                add(Variable(y), Variable(tokens)).value());
    // What is dropped is handed in: the first draw is for attention, the second for the network.
    const auto with = [&](uint64_t first, uint64_t second) {
        return block
            .forward(Variable(x), {sequences, routing, {}, {}}, {{{0.5, first}, {0.5, second}}})
            .value();
    };
    check_equal("a block called again with the same draws", with(1, 2), with(1, 2));
    CHECK_MESSAGE(difference(with(1, 2), with(3, 2)) > 1e-3,
                  "the first draw belongs to the first norm");
    CHECK_MESSAGE(difference(with(1, 2), with(1, 3)) > 1e-3,
                  "the second draw belongs to the second norm");
}
