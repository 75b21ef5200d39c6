// From logits to the next token: a penalty for repeating, temperature, then the tokens that are likely
// enough, the k most likely, and one of three ways to choose. It sorts no more than the choice needs.
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
    // Only tokens that are at least min_p times as likely as the most likely one can be drawn
    // (Nguyen et al., "Turning Up the Heat", 2024); 0: all.
    double min_p = 0;
    // Makes tokens that the text has already less likely: a logit above 0 is divided by it, one
    // below multiplied (Keskar et al., "CTRL", 2019, section 4.1); 1: off.
    double repetition_penalty = 1;
};

// Throws Error unless kind is known, temperature positive, top_p in (0, 1], top_k not negative,
// min_p in [0, 1] and the penalty positive.
void check_sampling(const Sampling& sampling);

// Draws tokens. It keeps its workspace, so only the first draw allocates memory.
class Sampler {
  public:
    // Draws a token for a text that has the tokens `before`. "greedy" draws nothing from `rng` and
    // takes the first of equals. Throws Error if a logit is not finite.
    int32_t draw(std::span<const real> logits, const Sampling& sampling, Rng& rng,
                 std::span<const int32_t> before = {});

    struct Ranked {
        real value;
        int32_t id;
    };
    // The nucleus of Holtzman et al., "The Curious Case of Neural Text Degeneration", ICLR 2020:
    // the most likely tokens in order, up to and including the first whose running sum passes
    // top_p. Among equally likely ones the lower id comes first. With top_p = 1 it holds every
    // token. probs sum to 1. The result is valid until the next call.
    std::span<const Ranked> nucleus(std::span<const real> probs, double top_p);

    // The `count` likeliest tokens in order, with their log probabilities in softmax(logits). The
    // result is valid until the next call.
    std::span<const Ranked> likeliest(std::span<const real> logits, int64_t count);

  private:
    std::span<const real> penalised(std::span<const real> logits, double penalty,
                                    std::span<const int32_t> before);
    void rank(std::span<const real> values);
    void bring_forward(size_t begin, size_t end);

    std::vector<real> probs_, penalised_;
    std::vector<Ranked> ranked_;
};

// log softmax(logits)[id]
double log_probability(std::span<const real> logits, int32_t id);

}  // namespace smoe
