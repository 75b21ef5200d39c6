// Generator: it processes the prompt once for all samples, then one token of each at a time. Texts
// that have ended leave the batch.
// Read next: sampling.cpp; tests/models/generation/generator_test.cpp, which computes each text anew.
#include "models/generation/generator.h"

#include <algorithm>

#include "core/check.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

int64_t checked_samples(int64_t samples) {
    check(samples >= 1 && samples <= Generator::max_samples,
          "generator: samples must be from 1 to {}, found {}", Generator::max_samples, samples);
    return samples;
}

}  // namespace

Generator::Generator(const SingleMoe& moe, int32_t end_of_text, int64_t samples, Precision weights)
    : moe_(moe),
      end_of_text_(end_of_text),
      samples_(checked_samples(samples)),
      model_(moe.model, samples, weights),
      router_(moe.router->step(samples)),
      logits_(size_t(samples * moe.model.settings().outputs)) {
    const int64_t vocab = moe.model.settings().vocab;
    check(end_of_text >= 0 && end_of_text < vocab,
          "generator: end of text is token {}, the model knows {} tokens", end_of_text, vocab);
}

void Generator::run(const std::vector<int32_t>& prompt, const Sampling& sampling, uint64_t seed,
                    int64_t max_tokens, const OnToken& on_token) {
    check_request(prompt, sampling, max_tokens);
    read_prompt(prompt, seed, on_token);
    chance_.clear();
    next_.clear();
    for (int32_t i = 0; i < samples_; ++i) {
        chance_.push_back(stream(seed, Stream::generation, 1 + uint64_t(i)));
        next_.push_back({.slot = i, .token = -1, .expert = no_expert});
    }
    const int64_t first = int64_t(prompt.size()) + 1, context = moe_.model.settings().context;
    const int64_t end = first + std::min(max_tokens, context - first);
    for (int64_t position = first; position < end; ++position) {
        draw(sampling, on_token);
        if (next_.empty()) {
            return;
        }
        router_->choose(next_, chance_);
        for (const Next& next : next_) {
            on_token({next.slot, next.token, next.expert});
        }
        if (position + 1 < end) {  // nobody draws from the logits behind the last token
            model_.append(next_, logits(next_.size()));
        }
    }
}

void Generator::check_request(const std::vector<int32_t>& prompt, const Sampling& sampling,
                              int64_t max_tokens) const {
    check_sampling(sampling);
    check(max_tokens >= 0, "generator: the number of tokens must not be negative, found {}",
          max_tokens);
    check(int64_t(prompt.size()) <= longest_prompt(),
          "generator: the prompt has {} tokens; {} fit into the model's context of {} behind the "
          "start token",
          prompt.size(), longest_prompt(), longest_prompt() + 1);
    const int64_t vocab = moe_.model.settings().vocab;
    for (const int32_t id : prompt) {
        check(id >= 0 && id < vocab,
              "generator: the prompt holds token {}, the model knows {} tokens", id, vocab);
    }
    check(!moe_.model.training() && !moe_.router->training(),
          "generator: the model is in training mode, where dropout is on; call eval()");
}

// Processes start token and prompt once and copies them to every slot. Every sample starts from the
// logits behind them.
void Generator::read_prompt(const std::vector<int32_t>& prompt, uint64_t seed,
                            const OnToken& on_token) {
    model_.clear();
    router_->clear();
    next_.assign(1, {.slot = 0, .token = end_of_text_, .expert = no_expert});
    for (const int32_t token : prompt) {
        next_.push_back({.slot = 0, .token = token, .expert = no_expert});
    }
    chance_.assign(1, stream(seed, Stream::generation));
    router_->choose(next_, chance_);
    for (int32_t i = 0; i < samples_; ++i) {
        for (size_t t = 1; t < next_.size(); ++t) {
            on_token({i, next_[t].token, next_[t].expert});
        }
    }
    model_.append(next_, logits(1));
    for (int64_t i = 1; i < samples_; ++i) {
        std::ranges::copy(logits(1), logits_.begin() + i * model_.settings().outputs);
        model_.copy(0, i);
        router_->copy(0, int32_t(i));
    }
}

// Draws the next token of each text: row n of the logits belongs to text n of those being written.
// Texts that end are no longer written.
void Generator::draw(const Sampling& sampling, const OnToken& on_token) {
    const size_t V = size_t(model_.settings().outputs);
    for (size_t n = 0; n < next_.size(); ++n) {
        Next& next = next_[n];
        next.token = sampler_.draw(logits(next_.size()).subspan(n * V, V), sampling,
                                   chance_[size_t(next.slot)]);
        if (next.token == end_of_text_) {
            on_token({next.slot, end_of_text_, no_expert});
        }
    }
    std::erase_if(next_, [this](const Next& next) { return next.token == end_of_text_; });
}

// The logits of the first rows.
std::span<real> Generator::logits(size_t rows) {
    return {logits_.data(), rows * size_t(model_.settings().outputs)};
}

}  // namespace smoe
