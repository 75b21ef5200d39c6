// The Single Mixture of Experts: a decoder whose feed-forward networks contain every expert, and
// the router that picks one for each token. It is the plain dense transformer with the router
// `none`. Idea: github.com/DaiDaiLoh/SingleMixtureOfExperts.
// Read next: models/generation/generator.h, models/training/trainer.h, which use one.
#pragma once

#include <memory>

#include "core/streams.h"
#include "models/transformer/routers/router.h"

namespace smoe {

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

    Decoder model;
    std::unique_ptr<Router> router;

  private:
    SingleMoe(const ModelSettings& settings, uint64_t seed, bool recompute, Rng init)
        : model(model_decoder(settings, recompute), init),
          router(router_kinds().find(settings.router.kind).make(settings, seed)) {}
};

}  // namespace smoe
