// The Single Mixture of Experts: a decoder whose feed-forward networks contain every expert, and
// the router that picks one for each token. With routing "none" it is the plain dense transformer.
// Idea: github.com/DaiDaiLoh/SingleMixtureOfExperts.
//
// Read next: models/training/trainer.h, models/generation/generator.h; models/training/run_directory.h keeps one on disk.
#pragma once

#include "models/training/config.h"
#include "models/transformer/decoder.h"
#include "models/transformer/router.h"

namespace smoe {

// Streams of randomness under a run's seed, so that no two uses draw the same numbers.
enum class Stream : uint64_t { model_weights = 1, router_weights, experts, evaluation, generation };

inline Rng stream(uint64_t seed, Stream which) {
    return Rng(seed, uint64_t(which));
}

struct SingleMoe {
    // Draws all weights from config.seed. Throws Error for settings that do not fit.
    explicit SingleMoe(const Config& config)
        : SingleMoe(config, stream(config.seed, Stream::model_weights),
                    stream(config.seed, Stream::router_weights)) {}

    void train(bool on = true) {
        model.train(on);
        if (router.network() != nullptr) {
            router.network()->train(on);
        }
    }

    void eval() { train(false); }

    Decoder model;
    Router router;

  private:
    SingleMoe(const Config& config, Rng model_init, Rng router_init)
        : model(model_settings(config), model_init),
          router(config.routing, router_settings(config), config.seed, router_init) {}
};

}  // namespace smoe
