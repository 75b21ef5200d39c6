// What a SingleMoe is made of: sizes, experts and router. Whoever builds a model has these checked,
// the program as well as a user of the library. How a model is trained is models/training's
// settings; flags and their help are the program's.
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

// Which parts of the feed-forward networks an expert is.
struct ExpertSettings {
    static constexpr int64_t max_count = 255;  // an expert of a token is kept as a byte

    int64_t count = 10;
    std::string mask_family = "bernoulli";  // a name in mask_families()
    double mask_rate = 0.2;                 // share of neurons that an expert switches off
    uint64_t mask_seed = 1;
    MaskWhere mask_where = MaskWhere::both;
    std::string feed_forward = "masked";  // a name in feed_forward_kinds()
};

// Who picks the expert of a token.
struct RouterSettings {
    std::string kind = "router";  // a name in router_kinds()
    // Of the network that the kind `router` learns.
    Sizes sizes{.width = 256, .layers = 8, .heads = 8, .hidden = 1024, .dropout = 0.1};
    int64_t steps = 1000;  // after which it is frozen
    int64_t warmup = 500;  // of its optimiser
};

// The defaults are the paper-sized setting of the original.
struct ModelSettings {
    Sizes sizes;
    int64_t vocab_size = 0;  // tokens, end of text included
    int64_t context = 251;   // most tokens of a sequence, the start token included
    ExpertSettings experts;
    RouterSettings router;
};

// Throws Error with the first setting that is out of range or does not fit another, and for a kind
// of router that is not known. A vocabulary of 0 tokens is one that is not known yet.
void check_settings(const ModelSettings& settings);

// Of the language model: as many outputs as tokens. Both throw Error as check_settings does.
DecoderSettings model_decoder(const ModelSettings& settings, bool recompute = false);
// Of a router's network: as many outputs as experts. It runs dense.
DecoderSettings router_decoder(const ModelSettings& settings);

}  // namespace smoe
