// From logits to the next token: temperature, then the k most likely, then one of three ways to
// choose. It sorts no more than the choice needs.
//
// Read next: generator.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/real.h"
#include "core/rng.h"

namespace smoe {

struct Sampling {
    std::string kind = "nucleus";  // greedy: the most likely; multinomial: by probability; nucleus
    double temperature = 1;        // logits are divided by it: below 1 is bolder, above 1 wilder
    double top_p = 0.9;            // of the nucleus
    int64_t top_k = 0;             // only the k most likely tokens can be drawn; 0: all
};

// Throws Error unless kind is known, temperature positive, top_p in (0, 1] and top_k not negative.
void check_sampling(const Sampling& sampling);

// Draws tokens. It keeps its workspace, so only the first draw allocates memory.
class Sampler {
  public:
    // Draws a token. "greedy" draws nothing from `rng` and takes the first of equals. Throws Error
    // if a logit is not finite.
    int32_t draw(std::span<const real> logits, const Sampling& sampling, Rng& rng);

    struct Ranked {
        real value;
        int32_t id;
    };
    // The nucleus of Holtzman et al., "The Curious Case of Neural Text Degeneration", ICLR 2020:
    // the most likely tokens in order, up to and including the first whose running sum passes
    // top_p. Among equally likely ones the lower id comes first. With top_p = 1 it holds every
    // token. probs sum to 1. The result is valid until the next call.
    std::span<const Ranked> nucleus(std::span<const real> probs, double top_p);

  private:
    void rank(std::span<const real> values);
    void bring_forward(size_t begin, size_t end);

    std::vector<real> probs_;
    std::vector<Ranked> ranked_;
};

}  // namespace smoe
