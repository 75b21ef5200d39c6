// Generates text token by token: the router picks the expert of the new position, the model gives
// the logits, and a token is drawn. A token costs one pass over the weights of both, which all
// samples share, and allocates nothing. Token ids go in and come out; the tokenizer turns them into
// text.
// Read next: sampling.h; examples/smoe for the program that prints it.
#pragma once

#include <functional>
#include <vector>

#include "models/generation/sampling.h"
#include "models/transformer/incremental_decoder.h"
#include "models/transformer/single_moe.h"

namespace smoe {

class Generator {
  public:
    static constexpr int64_t max_samples = 1024;

    // Writes `samples` texts at a time. `moe` must be in evaluation mode, outlive this and keep its
    // weights meanwhile. end_of_text is also the start token. The model's large weights are read in
    // `weights`; a router reads its own in float32. Throws Error for impossible numbers.
    Generator(const SingleMoe& moe, int32_t end_of_text, int64_t samples,
              Precision weights = Precision::float32);

    struct Token {
        int64_t sample;
        int32_t id;
        int32_t expert;  // that processes the token, or no_expert: the dense network
    };
    using OnToken = std::function<void(const Token&)>;

    // Continues `prompt` (without the start token) in every sample, each until it draws
    // end_of_text, has drawn max_tokens, or fills the model's context, start token included.
    // Reports every token with the expert at its own position: first those of the prompt, for each
    // sample, then each drawn one as soon as the router has picked its expert. A drawn end_of_text
    // is reported too, with no_expert, since nothing processes it. Sample i draws from a stream of
    // (seed, i), so its text does not depend on how many others there are (up to rounding with more
    // than few_vectors of them). With "random" routing all samples share the experts of the prompt.
    // Throws Error for a prompt that does not fit, for ids outside the vocabulary and for
    // impossible settings.
    void run(const std::vector<int32_t>& prompt, const Sampling& sampling, uint64_t seed,
             int64_t max_tokens, const OnToken& on_token);

    // The most tokens a prompt may have.
    int64_t longest_prompt() const { return moe_.model.settings().context - 1; }

  private:
    using Next = IncrementalDecoder::Next;

    void check_request(const std::vector<int32_t>& prompt, const Sampling& sampling,
                       int64_t max_tokens) const;
    void read_prompt(const std::vector<int32_t>& prompt, uint64_t seed, const OnToken& on_token);
    void draw(const Sampling& sampling, const OnToken& on_token);
    std::span<real> logits(size_t rows);

    const SingleMoe& moe_;
    int32_t end_of_text_;
    int64_t samples_;
    IncrementalDecoder model_;
    std::unique_ptr<Router::Step> router_;
    Sampler sampler_;
    std::vector<Next> next_;    // the prompt, then the last token of each text being written
    std::vector<Rng> chance_;   // of each slot
    std::vector<real> logits_;  // (samples, V), a row for each of next_
};

}  // namespace smoe
