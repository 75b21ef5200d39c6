// What is wanted of a text that a model shall write, and why such a text ends. Whoever writes to a
// screen, to a file or to a socket asks in these words. Stop strings are left to the caller, since
// a generator knows tokens and no characters.
// Read next: generator.h, which takes requests; stop_strings.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/enum_names.h"
#include "core/real.h"
#include "models/generation/sampling.h"
#include "nn/routing.h"

namespace smoe {

struct SingleMoe;

// Overrides the router, for the prompt, too: to see what one expert does, or what is lost without
// it. Routers inside the model can be made to take one expert in all blocks, and no more.
struct ExpertRule {
    std::optional<int32_t> forced = {};  // no_expert: all neurons are on
    // Instead of one of these the likeliest other expert is taken, or the next one by number if the
    // router has no probabilities.
    std::vector<int32_t> banned = {};

    bool is_none() const { return !forced.has_value() && banned.empty(); }
    // What becomes of the router's choice among K experts; scores (K), or none.
    int32_t allowed(int32_t chosen, std::span<const real> scores, int64_t num_experts) const;
};

struct TextRequest {
    std::vector<int32_t> prompt;  // without the start token
    Sampling sampling = {};
    uint64_t seed = 1;
    int64_t samples = 1;  // texts that go on from this prompt, which is read once for all
    int64_t max_tokens = INT64_MAX;
    ExpertRule experts = {};

    // What is told of each token beside its number and expert.
    bool log_probabilities = false;
    bool of_prompt = false;  // those of the prompt's tokens, too
    int64_t likeliest = 0;   // so many of the likeliest tokens in its place; with log_probabilities
    bool router = false;     // the router's probabilities
};

// Throws Error for a prompt that does not fit, for ids outside the vocabulary, for impossible
// settings, for a model in training mode, and for an expert rule that it cannot follow.
void check_request(const TextRequest& request, const SingleMoe& moe);

// Why a text ends. Stop strings and interruptions come from outside the generator.
enum class End { end_of_text, max_tokens, context, stop_string, interrupted };
const EnumNames<End>& enum_names(End);

}  // namespace smoe
