// From logits to the next token: temperature, then the k most likely, then one of three ways to
// choose. Refuses to know models and text. Read next: generator.h.
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
    int64_t top_k = 0;             // only the k most likely tokens have a chance; 0: all
};

// Throws Error unless kind is known, temperature positive, top_p in (0, 1] and top_k not negative.
void check_sampling(const Sampling& sampling);

// The nucleus of Holtzman et al., "The Curious Case of Neural Text Degeneration", ICLR 2020: 1 for
// the most likely tokens, up to and including the first whose running sum passes top_p, 0 for the
// others. Of equally likely ones the lower id comes first. With top_p = 1 everything is kept. probs
// sum to 1.
std::vector<uint8_t> nucleus_set(std::span<const real> probs, double top_p);

// Draws a token. "greedy" draws nothing from `rng` and takes the first of equals. Throws Error if a
// logit is not finite.
int32_t sample_token(std::span<const real> logits, const Sampling& sampling, Rng& rng);

}  // namespace smoe
