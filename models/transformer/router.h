// The router decides which expert each token gets. Four kinds: a second, smaller transformer that
// learns (the original), a hash of the token's id (Roller et al., "Hash Layers", 2021), chance, and
// none (dense). The experts of a position never depend on later tokens, so that generation can go
// token by token.
// Read next: router_loss.h, what the learning router learns from; single_moe.h.
#pragma once

#include <memory>
#include <string>

#include "core/rng.h"
#include "models/transformer/decoder.h"

namespace smoe {

class Router {
  public:
    // kind: "router", "hash", "random" or "none". Only "router" builds a network and draws from
    // `init`. `seed` is that of the hash. Throws Error for another kind.
    Router(const std::string& kind, const DecoderSettings& settings, uint64_t seed, Rng& init);

    // The expert of each of the N tokens, as evaluation and the frozen phase use it: the network's
    // argmax (recording nothing), the hash, or a draw from `chance`. Empty for "none".
    Experts choose(const std::vector<int32_t>& tokens, const std::vector<int64_t>& offsets,
                   Rng& chance) const;

    // The expert of one token where no network decides: the hash, a draw from `chance`, or -1 for
    // "none".
    int32_t choose_one(int32_t token, Rng& chance) const;

    // The learning kind's network; null for the others.
    Decoder* network() const { return network_.get(); }
    int64_t num_experts() const { return num_experts_; }

  private:
    std::string kind_;
    int64_t num_experts_;
    uint64_t seed_;
    std::unique_ptr<Decoder> network_;
};

// Draws a expert for each row of `routing` (N, K), softmax probabilities r, from (r + 0.2/K) / 1.2:
// every expert keeps a chance.
Experts sample_experts(const Tensor& routing, Rng& rng);

}  // namespace smoe
