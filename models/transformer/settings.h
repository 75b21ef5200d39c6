// What a SingleMoe is made of: sizes, experts and router. These are checked whenever a model is
// built, by the program or by a user of the library. The settings of training are in
// models/training; flags and their help belong to the program.
// Read next: decoder.h, routers/router.h; single_moe.h, which is built from this.
#pragma once

#include <cstdint>
#include <string>

#include "models/transformer/decoder.h"

namespace smoe {

// Sizes of a transformer.
struct Sizes {
    int64_t width = 512, layers = 8, heads = 8, hidden = 2048;
    double dropout = 0.1;
};

// Which parts of the feed-forward networks make up an expert.
struct ExpertSettings {
    static constexpr int64_t max_count = 255;  // an expert of a token is kept as a byte

    int64_t count = 10;
    std::string mask_family = "bernoulli";  // a name in mask_families()
    double mask_rate = 0.2;                 // share of neurons that an expert switches off
    uint64_t mask_seed = 1;
    MaskWhere mask_where = MaskWhere::both;
    MaskScale mask_scale = MaskScale::inverse;
    std::string feed_forward = "masked";  // a name in feed_forward_kinds()
};

// Who picks the expert of a token.
struct RouterSettings {
    std::string kind = "router";  // a name in router_kinds()
    // The sizes of the network that the kind `router` learns.
    Sizes sizes{.width = 256, .layers = 8, .heads = 8, .hidden = 1024, .dropout = 0.1};
    int64_t steps = 1000;  // after which it is frozen
    int64_t warmup = 500;  // of its optimiser
    // Of gates inside the model, see nn/gate.h.
    double gate_lr = 1;         // their learning rate, as a factor of the model's
    double balance = 1e-3;      // by which a bias moves in a step
    int64_t balance_steps = 1;  // over which rows are counted
};

// The defaults are the paper-sized setting of the original.
struct ModelSettings {
    Sizes sizes;
    int64_t vocab_size = 0;  // tokens, end of text included
    int64_t context = 251;   // most tokens of a sequence, the start token included
    // Each feed-forward network reads the embedding of the token again: a control for routers by
    // token, without experts.
    bool token_input = false;
    ExpertSettings experts;
    RouterSettings router;
};

// Throws Error naming the first setting that is out of range or does not fit another, and for an
// unknown kind of router. A vocabulary of 0 tokens is one that is not known yet.
void check_settings(const ModelSettings& settings);

// The decoder of the language model, with as many outputs as tokens. Both functions throw Error as
// check_settings does.
DecoderSettings model_decoder(const ModelSettings& settings, bool recompute = false);
// The decoder of a router, with as many outputs as experts. It runs dense.
DecoderSettings router_decoder(const ModelSettings& settings);

}  // namespace smoe
