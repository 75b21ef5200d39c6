// Which numbers fit together, and the two networks that follow from them.
// Read next: decoder.cpp.
#include "models/transformer/settings.h"

#include "core/check.h"
#include "models/transformer/routers/router.h"

namespace smoe {
namespace {

template <class T>
void range(T value, T low, T high, const std::string& what) {
    check(value >= low && value <= high, "{} must be from {} to {}, found {}", what, low, high,
          value);
}

void check_sizes(const Sizes& sizes, const std::string& whose) {
    range<int64_t>(sizes.width, 2, 1 << 16, whose + " width");
    range<int64_t>(sizes.layers, 1, 1024, whose + " layers");
    range<int64_t>(sizes.heads, 1, sizes.width, whose + " heads");
    range<int64_t>(sizes.hidden, 1, 1 << 20, whose + " hidden");
    check(sizes.width % sizes.heads == 0 && sizes.width % 2 == 0,
          "{} width must be even and a multiple of its heads, found {} and {}", whose, sizes.width,
          sizes.heads);
    check(sizes.dropout >= 0 && sizes.dropout < 1, "{} dropout must be in [0, 1), found {}", whose,
          sizes.dropout);
}

DecoderSettings decoder_settings(const ModelSettings& settings, const Sizes& sizes,
                                 int64_t outputs) {
    check_settings(settings);
    return {.vocab = settings.vocab_size,
            .outputs = outputs,
            .context = settings.context,
            .width = sizes.width,
            .layers = sizes.layers,
            .heads = sizes.heads,
            .hidden = sizes.hidden,
            .dropout = sizes.dropout,
            .num_experts = settings.experts.count,
            .mask_rate = settings.experts.mask_rate,
            .mask_seed = settings.experts.mask_seed,
            .mask_where = settings.experts.mask_where,
            .mask_scale = settings.experts.mask_scale,
            .mask_family = settings.experts.mask_family,
            .feed_forward = settings.experts.feed_forward};
}

}  // namespace

void check_settings(const ModelSettings& settings) {
    check_sizes(settings.sizes, "the model's");
    check_sizes(settings.router.sizes, "the router's");
    range<int64_t>(settings.context, 3, 1 << 20, "context");
    range<int64_t>(settings.vocab_size, 0, 1 << 24, "vocab_size");  // exact as `real` up to here
    const ExpertSettings& experts = settings.experts;
    range<int64_t>(experts.count, 1, ExpertSettings::max_count, "the number of experts");
    check(experts.mask_rate >= 0 && experts.mask_rate < 1, "mask_rate must be in [0, 1), found {}",
          experts.mask_rate);
    check(settings.router.steps >= 0, "router steps must be at least 0, found {}",
          settings.router.steps);
    check(settings.router.warmup >= 0, "router warmup must be at least 0, found {}",
          settings.router.warmup);
    range<double>(settings.router.gate_lr, 0, 1000, "gate_lr");
    range<double>(settings.router.balance, 0, 1, "balance");
    range<int64_t>(settings.router.balance_steps, 1, 1 << 20, "balance_steps");
    mask_families().find(split_number(mask_families().kind(), experts.mask_family).name);
    feed_forward_kinds().find(experts.feed_forward);
    router_kinds().find(settings.router.kind);
}

DecoderSettings model_decoder(const ModelSettings& settings, bool recompute) {
    DecoderSettings decoder = decoder_settings(settings, settings.sizes, settings.vocab_size);
    decoder.recompute = recompute;
    decoder.token_input = settings.token_input;
    if (const RouterKind& kind = router_kinds().find(settings.router.kind); kind.inside) {
        decoder.block_router = kind.inside(settings);
    }
    return decoder;
}

DecoderSettings router_decoder(const ModelSettings& settings) {
    DecoderSettings decoder =
        decoder_settings(settings, settings.router.sizes, settings.experts.count);
    decoder.mask_rate = 0;  // no token of its own has an expert
    decoder.mask_family = "bernoulli";
    decoder.feed_forward = "masked";
    return decoder;
}

}  // namespace smoe
