// Generates text token by token: the router picks the expert of the new position, the model gives
// the logits, and a token is drawn. Many texts are written at once, and they may join and leave
// between two tokens. A pass over the weights of model and router is shared by up to few_vectors
// texts, and allocates nothing. Token ids go in and come out; the tokenizer turns them into text.
// Read next: request.h, sampling.h; scheduler.h, which feeds one from a queue.
#pragma once

#include <cmath>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "models/generation/request.h"
#include "models/transformer/incremental_decoder.h"
#include "models/transformer/single_moe.h"

namespace smoe {

class Generator {
  public:
    static constexpr int64_t max_samples = 1024;

    // Has places for `samples` texts at a time. `moe` must be in evaluation mode, outlive this and
    // keep its weights meanwhile. end_of_text is also the start token. The model's large weights
    // are read in `weights`; a router reads its own in float32. Throws Error for impossible numbers.
    Generator(const SingleMoe& moe, int32_t end_of_text, int64_t samples,
              Precision weights = Precision::float32);

    struct Token {
        int64_t sample;  // its place
        int32_t id;
        int32_t expert;  // that processes the token, or no_expert: the dense network
        // What the request asks for, valid during the call; else NaN and nothing.
        double log_probability = std::nan("");
        std::span<const Sampler::Ranked> likeliest = {};  // in its place, with log probabilities
        std::span<const real> router = {};                // (K) probabilities
    };
    using OnToken = std::function<void(const Token&)>;
    using OnEnd = std::function<void(int64_t sample, End why)>;

    // Takes places for the samples of a request and returns them. A text goes on from the prompt
    // until it draws end_of_text, has drawn max_tokens, or fills the model's context, start token
    // included. Sample i draws from a stream of (seed, i), so its text does not depend on how many
    // others there are. With "random" routing all samples share the experts of the prompt. Throws
    // Error as check_request does, and if there are too few places.
    std::vector<int64_t> join(const TextRequest& request);
    // Frees the place of a text, which gets no more tokens and no end. May be called at any time,
    // also while a token is reported.
    void leave(int64_t place);
    void clear();  // all texts leave; for use after an error
    int64_t free_places() const;

    // Takes every text one token further. Each token is reported with the expert at its own
    // position: those of the prompt as they are read, each drawn one as soon as the router has
    // picked its expert. A drawn end_of_text is reported too, with no_expert, since nothing
    // processes it. At its end a text frees its place. A pass also reads prompts, the earliest
    // first, until it has read rows_of_prompts of them. Returns whether a text is left.
    bool pass(const OnToken& on_token, const OnEnd& on_end);
    static constexpr int64_t rows_of_prompts = 128;

    // Writes the samples of one request, beside no others, to their ends. Sample i is in place i.
    void run(const TextRequest& request, const OnToken& on_token, const OnEnd& on_end = {});
    void run(const std::vector<int32_t>& prompt, const Sampling& sampling, uint64_t seed,
             int64_t max_tokens, const OnToken& on_token);

    // The most tokens a prompt may have.
    int64_t longest_prompt() const { return moe_.model.settings().context - 1; }

  private:
    using Next = IncrementalDecoder::Next;

    static constexpr int64_t draws_of_sampler = 4;  // worth waking a thread

    struct Text {
        bool busy = false;  // is there one in this place?
        bool gone = false;  // has it left during a pass?
        std::shared_ptr<const TextRequest> request;
        int64_t sample = 0;           // of the request
        int64_t leader = -1;          // the place that reads the prompt, until it is read
        std::vector<int32_t> tokens;  // start token, prompt and what was drawn
        int64_t read = 0;             // tokens that the model has seen
        int64_t row = -1;             // of the logits behind all tokens, if they are there
        // Of the last token, or of the next one in a prompt.
        double log_probability = std::nan("");
        std::vector<Sampler::Ranked> likeliest;

        int64_t drawn() const;  // tokens behind the prompt
    };

    Text& text(int64_t place) { return texts_[size_t(place)]; }
    std::span<real> logits(int64_t first, int64_t rows);
    template <class Wanted>
    void find_places(const Wanted& wanted);
    void draw(const OnToken& on_token, const OnEnd& on_end);
    void read_prompts(const OnToken& on_token);
    void read_prompt(int64_t place, int64_t count, const OnToken& on_token);
    template <class Wanted>
    void append_last(const Wanted& wanted, const OnToken& on_token, const OnEnd& on_end);
    void choose_experts(std::span<Next> together);
    void announce(const Next& next, std::span<const real> scores, const OnToken& on_token,
                  const OnEnd& on_end);
    std::span<const real> scores(size_t row) const;
    void judge(Text& one, std::span<const real> logits, int32_t id, Sampler& sampler);
    void report(const Next& next, const Text& judged, std::span<const real> scores,
                const OnToken& on_token);
    void end(int64_t place, End why, const OnEnd& on_end);
    void hand_over(int64_t from, int64_t to);
    void remove_gone();

    const SingleMoe& moe_;
    int32_t end_of_text_;
    std::vector<Text> texts_;  // by place
    IncrementalDecoder model_;
    std::unique_ptr<Router::Step> router_;
    std::vector<Sampler> samplers_;  // one for each draws_of_sampler texts of a pass
    std::deque<int64_t> reading_;    // places whose prompts are not read yet, the earliest first
    std::vector<Next> next_;         // that go through the layers
    std::vector<int64_t> places_;    // whose next token is drawn, then whose last one goes through
    std::vector<Rng> chance_;        // of each place
    std::vector<real> logits_;       // (places, V)
    std::vector<real> prompt_;       // (rows, V) behind the tokens of a prompt, if asked for
    std::vector<real> probabilities_;  // (K) of the router
    bool in_pass_ = false;
};

}  // namespace smoe
