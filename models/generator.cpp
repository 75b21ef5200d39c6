// Generator: the prompt once for all samples, then one token for each at a time.
#include "models/generator.h"

#include <algorithm>

#include "core/check.h"

namespace smoe {
namespace {

// Copies the first `positions` of slot 0 to slot `to`.
void copy_slot(const DecoderCache& cache, int64_t to, int64_t positions) {
    const auto part = [&](const Tensor& tensor, int64_t slot) {
        const Shape one_slot{tensor.size(1), tensor.size(2)};
        return tensor.slice(slot, slot + 1).reshape(one_slot).slice(0, positions);
    };
    for (const AttentionCache& layer : cache.layers) {
        part(layer.keys, to).copy_from(part(layer.keys, 0));
        part(layer.values, to).copy_from(part(layer.values, 0));
    }
}

int64_t checked_samples(int64_t samples) {
    check(samples >= 1 && samples <= Generator::most_samples,
          "generator: samples must be from 1 to {}, found {}", Generator::most_samples, samples);
    return samples;
}

int32_t expert_of(const Labels& labels, size_t n) {
    return labels.empty() ? -1 : labels[n];
}

}  // namespace

Generator::Generator(const SingleMoe& moe, int32_t end_of_text, int64_t samples)
    : moe_(moe),
      end_of_text_(end_of_text),
      samples_(checked_samples(samples)),
      model_cache_(moe.model.settings(), samples) {
    const int64_t vocab = moe.model.settings().vocab;
    check(end_of_text >= 0 && end_of_text < vocab,
          "generator: end of text is token {}, the model knows {} tokens", end_of_text, vocab);
    if (const Decoder* const network = moe.router.network(); network != nullptr) {
        router_cache_ = std::make_unique<DecoderCache>(network->settings(), samples);
    }
}

void Generator::run(const std::vector<int32_t>& prompt, const Sampling& sampling, uint64_t seed,
                    int64_t max_tokens, const OnToken& on_token) {
    check_request(prompt, sampling, max_tokens);
    Tensor logits = read_prompt(prompt, seed, on_token);  // (samples, V)

    // The prompt has the first stream of Stream::generation, the last of the list; the samples the
    // next.
    std::vector<Sample> samples;
    for (int32_t i = 0; i < samples_; ++i) {
        samples.push_back({i, Rng(seed, uint64_t(Stream::generation) + 1 + uint64_t(i))});
    }
    const int64_t first = int64_t(prompt.size()) + 1, context = moe_.model.settings().context;
    const int64_t end = first + std::min(max_tokens, context - first);
    for (int64_t position = first; position < end; ++position) {
        for (size_t n = 0; n < samples.size(); ++n) {
            Sample& sample = samples[n];
            const Tensor row = logits.slice(int64_t(n), int64_t(n) + 1);
            sample.token = sample_token(row.values(), sampling, sample.rng);
            if (sample.token == end_of_text_) {
                on_token({sample.number, end_of_text_, -1});
            }
        }
        std::erase_if(samples, [&](const Sample& sample) { return sample.token == end_of_text_; });
        if (samples.empty()) {
            return;
        }
        std::vector<int32_t> tokens;
        CacheRows rows;
        for (const Sample& sample : samples) {
            tokens.push_back(sample.token);
            rows.slot.push_back(sample.number);
            rows.position.push_back(int32_t(position));
        }
        const Labels labels = route(samples, tokens, rows);
        for (size_t n = 0; n < samples.size(); ++n) {
            on_token({samples[n].number, tokens[n], expert_of(labels, n)});
        }
        if (position + 1 < end) {
            logits = moe_.model.forward_cached(tokens, rows, labels, model_cache_).value();
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
          "start "
          "token",
          prompt.size(), longest_prompt(), longest_prompt() + 1);
    const int64_t vocab = moe_.model.settings().vocab;
    for (const int32_t id : prompt) {
        check(id >= 0 && id < vocab,
              "generator: the prompt holds token {}, the model knows {} tokens", id, vocab);
    }
    const Decoder* const router = moe_.router.network();
    check(
        !moe_.model.training() && (router == nullptr || !router->training()),
        "generator: the model is in training mode, where dropout is on; call set_training(false)");
}

// Start token and prompt, processed once and copied to every slot -> the logits behind it for each
// sample.
Tensor Generator::read_prompt(const std::vector<int32_t>& prompt, uint64_t seed,
                              const OnToken& on_token) {
    std::vector<int32_t> tokens = {end_of_text_};
    tokens.insert(tokens.end(), prompt.begin(), prompt.end());
    CacheRows rows;
    for (size_t t = 0; t < tokens.size(); ++t) {
        rows.slot.push_back(0);
        rows.position.push_back(int32_t(t));
    }
    Rng chance = stream(seed, Stream::generation);
    const Labels labels = moe_.router.choose_cached(tokens, rows, chance, router_cache_.get());
    for (int64_t i = 0; i < samples_; ++i) {
        for (size_t t = 1; t < tokens.size(); ++t) {
            on_token({i, tokens[t], expert_of(labels, t)});
        }
    }
    const Tensor all = moe_.model.forward_cached(tokens, rows, labels, model_cache_).value();
    const int64_t N = all.size(0), V = all.size(1);
    const Tensor logits = Tensor::empty({samples_, V});
    for (int64_t i = 0; i < samples_; ++i) {
        logits.slice(i, i + 1).copy_from(all.slice(N - 1, N));
        if (i > 0) {
            copy_slot(model_cache_, i, N);
            if (router_cache_ != nullptr) {
                copy_slot(*router_cache_, i, N);
            }
        }
    }
    return logits;
}

// The experts of the tokens drawn last. Chance is each sample's own, so that it does not depend on
// who else is still writing.
Labels Generator::route(std::vector<Sample>& samples, const std::vector<int32_t>& tokens,
                        const CacheRows& rows) {
    if (router_cache_ != nullptr) {
        return moe_.router.choose_cached(tokens, rows, samples[0].rng, router_cache_.get());
    }
    Labels labels;
    for (size_t n = 0; n < samples.size(); ++n) {
        const CacheRows row{{rows.slot[n]}, {rows.position[n]}};
        const Labels own = moe_.router.choose_cached({tokens[n]}, row, samples[n].rng, nullptr);
        labels.insert(labels.end(), own.begin(), own.end());
    }
    return labels;
}

}  // namespace smoe
