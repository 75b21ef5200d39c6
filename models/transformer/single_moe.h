// The Single Mixture of Experts: a decoder whose feed-forward networks contain every expert, and
// the router that picks one for each token. It is the plain dense transformer with the router
// `none`. Idea: github.com/DaiDaiLoh/SingleMixtureOfExperts.
// Read next: models/generation/generator.h, models/training/trainer.h, which use one.
#pragma once

#include <algorithm>
#include <memory>

#include "core/streams.h"
#include "models/transformer/routers/router.h"

namespace smoe {

// The experts of each row in a pass: one list for all blocks if they were chosen outside, one for
// each block that has a router, none if dense.
struct ExpertTrace {
    std::vector<Experts> blocks;
    // (K) the rows of each expert, in all lists; empty if there are none.
    std::vector<int64_t> counts(int64_t num_experts) const {
        std::vector<int64_t> counts(blocks.empty() ? 0 : size_t(num_experts), 0);
        for (const Experts& experts : blocks) {
            for (const int32_t expert : experts) {
                ++counts[size_t(expert)];
            }
        }
        return counts;
    }
};
// Writes them down, without changing any.
inline ExpertHook record_experts(const std::shared_ptr<ExpertTrace>& trace) {
    return [trace](int64_t block, const Tensor&, Experts& experts) {
        trace->blocks.resize(std::max(trace->blocks.size(), size_t(block) + 1));
        trace->blocks[size_t(block)] = experts;
    };
}

struct SingleMoe {
    // Draws all weights from `seed`, the run's. Throws Error for settings that do not fit. For
    // recompute see DecoderSettings.
    SingleMoe(const ModelSettings& settings, uint64_t seed, bool recompute = false)
        : SingleMoe(settings, seed, recompute, stream(seed, Stream::model_weights)) {}

    void train(bool on = true) {
        model.train(on);
        router->train(on);
    }
    void eval() { train(false); }

    // Fills `trace` with the experts of a pass. They are `experts`, or what the returned hook, which
    // the pass must be given, sees inside.
    ExpertHook record(const Experts& experts, const std::shared_ptr<ExpertTrace>& trace) const {
        if (router->is_inside()) {
            return record_experts(trace);
        }
        if (!experts.empty()) {
            trace->blocks = {experts};
        }
        return {};
    }

    Decoder model;
    std::unique_ptr<Router> router;

  private:
    SingleMoe(const ModelSettings& settings, uint64_t seed, bool recompute, Rng init)
        : model(model_decoder(settings, recompute), init),
          router(router_kinds().find(settings.router.kind).make(settings, seed)) {}
};

}  // namespace smoe
