// The original's router: a second, smaller transformer with an output for each expert. Experts are
// drawn by its probabilities while it learns, so that every expert is still tried; afterwards the
// likeliest one is taken.
// Read next: router_loss.h, what it learns from.
#pragma once

#include "models/transformer/routers/router.h"

namespace smoe {

class LearnedRouter : public Router {
  public:
    // `settings` are those of the network, which has an output for each expert. Throws Error as
    // Decoder does.
    LearnedRouter(const DecoderSettings& settings, int64_t learning_steps, Rng init);

    std::string description() const override;
    Tensor probabilities(const Sequences& sequences) const override;
    std::unique_ptr<Step> step(int64_t slots) const override;
    Module* module() override { return &network_; }
    double cost(const BatchShape& batch, Pass pass) const override;
    // Draws experts from (p + 0.2/K) / 1.2, with p the probabilities, so that any expert can be
    // drawn.
    Lesson explore(const Sequences& sequences, Rng& chance, Rng& dropout) const override;
    // The objectives "correctness" and "distribution" of router_loss.h.
    Objectives objectives(const Lesson& lesson, const Tensor& losses,
                          const Sequences& sequences) const override;

    const Decoder& network() const { return network_; }

  protected:
    // The likeliest expert of each token. Each sequence is computed by itself, so its experts do
    // not depend on the others in the batch, not even by rounding.
    Experts choose_experts(const Sequences& sequences, Rng& chance) const override;

  private:
    Decoder network_;
    int64_t learning_steps_;
};

// Draws an expert for each row p of `probabilities` (N, K), from (p + 0.2/K) / 1.2.
Experts sample_experts(const Tensor& probabilities, Rng& rng);

}  // namespace smoe
