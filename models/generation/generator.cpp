// Generator: a pass draws a token for each text, reads new prompts and draws their first tokens, and
// sends the last token of every text through router and model, few_vectors at a time, so that its
// bits do not depend on its neighbours. A prompt goes by itself, for the same reason.
// Read next: sampling.cpp; tests/models/generation/generator_test.cpp, which computes each text anew.
#include "models/generation/generator.h"

#include <algorithm>

#include "core/check.h"
#include "core/threads.h"
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
      texts_(size_t(checked_samples(samples))),
      model_(moe.model, samples, weights),
      router_(moe.router->step(samples)),
      samplers_(size_t((samples + draws_of_sampler - 1) / draws_of_sampler)),
      chance_(texts_.size(), Rng(0)),
      logits_(texts_.size() * size_t(moe.model.settings().outputs)),
      probabilities_(size_t(moe.router->num_experts())) {
    const int64_t vocab = moe.model.settings().vocab;
    check(end_of_text >= 0 && end_of_text < vocab,
          "generator: end of text is token {}, the model knows {} tokens", end_of_text, vocab);
    places_.reserve(texts_.size());
    next_.reserve(std::max(size_t(rows_of_prompts), texts_.size()));
}

int64_t Generator::free_places() const {
    return std::ranges::count_if(texts_, [](const Text& text) { return !text.busy; });
}

std::vector<int64_t> Generator::join(const TextRequest& request) {
    check_request(request, moe_);
    check(request.samples <= free_places(), "generator: {} places are free, {} are asked for",
          free_places(), request.samples);
    const auto shared = std::make_shared<const TextRequest>(request);
    std::vector<int64_t> places;
    for (int64_t place = 0; int64_t(places.size()) < request.samples; ++place) {
        Text& one = text(place);
        if (one.busy) {
            continue;
        }
        one = {.busy = true,
               .request = shared,
               .sample = int64_t(places.size()),
               .leader = places.empty() ? place : places[0],
               .tokens = std::move(one.tokens),
               .likeliest = std::move(one.likeliest)};
        one.tokens.reserve(size_t(model_.settings().context) + 1);
        one.tokens.assign(1, end_of_text_);
        one.tokens.insert(one.tokens.end(), request.prompt.begin(), request.prompt.end());
        one.likeliest.clear();
        one.likeliest.reserve(size_t(request.likeliest));
        chance_[size_t(place)] = stream(request.seed, Stream::generation);
        model_.clear(place);
        router_->clear(int32_t(place));
        places.push_back(place);
    }
    reading_.push_back(places[0]);
    if (request.of_prompt) {
        prompt_.resize(size_t(rows_of_prompts * model_.settings().outputs));
    }
    return places;
}

void Generator::leave(int64_t place) {
    text(place).gone = text(place).busy;
    if (!in_pass_) {
        remove_gone();
    }
}

void Generator::clear() {
    in_pass_ = false;
    reading_.clear();
    for (Text& one : texts_) {
        one.busy = false;
    }
}

bool Generator::pass(const OnToken& on_token, const OnEnd& on_end) {
    in_pass_ = true;
    draw(on_token, on_end);
    read_prompts(on_token);
    // A new text has its first token before the others go through the layers.
    append_last([](const Text& one) { return one.drawn() == 0; }, on_token, on_end);
    draw(on_token, on_end);
    append_last([](const Text&) { return true; }, on_token, on_end);
    in_pass_ = false;
    remove_gone();
    return std::ranges::any_of(texts_, &Text::busy);
}

void Generator::run(const TextRequest& request, const OnToken& on_token, const OnEnd& on_end) {
    clear();
    join(request);
    while (pass(on_token, on_end)) {
    }
}

void Generator::run(const std::vector<int32_t>& prompt, const Sampling& sampling, uint64_t seed,
                    int64_t max_tokens, const OnToken& on_token) {
    run({.prompt = prompt,
         .sampling = sampling,
         .seed = seed,
         .samples = int64_t(texts_.size()),
         .max_tokens = max_tokens},
        on_token);
}

int64_t Generator::Text::drawn() const {
    return int64_t(tokens.size()) - 1 - int64_t(request->prompt.size());
}

// places_ = those of the texts that go on and that are wanted.
template <class Wanted>
void Generator::find_places(const Wanted& wanted) {
    places_.clear();
    for (int64_t place = 0; place < int64_t(texts_.size()); ++place) {
        const Text& one = text(place);
        if (one.busy && !one.gone && wanted(one)) {
            places_.push_back(place);
        }
    }
}

// Draws the next token of each text whose logits are there. Each text has random numbers of its own,
// so their order does not matter.
void Generator::draw(const OnToken& on_token, const OnEnd& on_end) {
    find_places([](const Text& one) { return one.row >= 0; });
    parallel_for(int64_t(places_.size()), draws_of_sampler, [&](int64_t begin, int64_t end) {
        Sampler& sampler = samplers_[size_t(begin / draws_of_sampler)];
        for (int64_t i = begin; i < end; ++i) {
            const int64_t place = places_[size_t(i)];
            Text& one = text(place);
            const std::span<const real> row = logits(one.row, 1);
            const int32_t id = sampler.draw(row, one.request->sampling, chance_[size_t(place)],
                                            std::span(one.tokens).subspan(1));
            judge(one, row, id, sampler);
            one.tokens.push_back(id);
            one.row = -1;
        }
    });
    for (const int64_t place : places_) {
        Text& one = text(place);
        const int32_t id = one.tokens.back();
        if (id == end_of_text_) {
            report({.slot = int32_t(place), .token = id, .expert = no_expert}, one, {}, on_token);
            end(place, End::end_of_text, on_end);
        }
    }
}

// Reads prompts up to their last tokens, and copies each to the other samples of its request.
void Generator::read_prompts(const OnToken& on_token) {
    for (int64_t rows = 0; !reading_.empty() && rows < rows_of_prompts;) {
        const int64_t place = reading_.front();
        const int64_t left = int64_t(text(place).tokens.size()) - 1 - text(place).read;
        // The cuts are at the same tokens whatever else a pass does.
        const int64_t count = std::min(left, rows_of_prompts);
        if (count > 0) {
            read_prompt(place, count, on_token);
        }
        rows += count;
        if (count == left) {
            reading_.pop_front();
            for (int64_t other = 0; other < int64_t(texts_.size()); ++other) {
                if (text(other).busy && text(other).leader == place && other != place) {
                    hand_over(place, other);
                    text(other).leader = -1;
                }
            }
            text(place).leader = -1;
        }
    }
}

void Generator::read_prompt(int64_t place, int64_t count, const OnToken& on_token) {
    Text& one = text(place);
    const int64_t V = model_.settings().outputs;
    next_.clear();
    for (int64_t t = one.read; t < one.read + count; ++t) {
        next_.push_back(
            {.slot = int32_t(place), .token = one.tokens[size_t(t)], .expert = no_expert});
    }
    choose_experts(next_);
    const bool judged = one.request->of_prompt;
    const std::span<real> behind = std::span(prompt_).first(judged ? size_t(count * V) : 0);
    model_.append(next_, behind);
    for (int64_t t = 0; t < count; ++t) {
        for (size_t other = 0; one.read > 0 && other < texts_.size(); ++other) {
            if (texts_[other].busy && texts_[other].leader == place) {
                Next next = next_[size_t(t)];
                next.slot = int32_t(other);
                report(next, one, scores(size_t(t)), on_token);
            }
        }
        ++one.read;
        if (judged) {
            judge(one, behind.subspan(size_t(t * V), size_t(V)), one.tokens[size_t(one.read)],
                  samplers_[0]);
        }
    }
}

// Sends the last token of each wanted text through the layers, unless the text ends with it.
template <class Wanted>
void Generator::append_last(const Wanted& wanted, const OnToken& on_token, const OnEnd& on_end) {
    find_places([&](const Text& one) { return one.leader < 0 && wanted(one); });
    // All are told before the layers have any, so the last need not wait for the first ones' pass.
    next_.clear();
    for (size_t first = 0; first < places_.size(); first += size_t(few_vectors)) {
        for (size_t i = first; i < std::min(places_.size(), first + size_t(few_vectors)); ++i) {
            next_.push_back({.slot = int32_t(places_[i]),
                             .token = text(places_[i]).tokens.back(),
                             .expert = no_expert});
        }
        const std::span<Next> together = std::span(next_).subspan(first);
        choose_experts(together);
        for (size_t n = 0; n < together.size(); ++n) {
            announce(together[n], scores(n), on_token, on_end);
        }
    }
    std::erase_if(
        next_, [this](const Next& next) { return !text(next.slot).busy || text(next.slot).gone; });
    const auto count = int64_t(next_.size());
    for (int64_t row = 0; row < count; ++row) {
        Text& one = text(next_[size_t(row)].slot);
        one.row = row;
        ++one.read;
    }
    for (int64_t first = 0; first < count; first += few_vectors) {
        const int64_t rows = std::min(few_vectors, count - first);
        model_.append(std::span(next_).subspan(size_t(first), size_t(rows)), logits(first, rows));
    }
}

// Tells of a text's last token, and of its end if that was the last it may have.
void Generator::announce(const Next& next, std::span<const real> scores, const OnToken& on_token,
                         const OnEnd& on_end) {
    Text& one = text(next.slot);
    const TextRequest& request = *one.request;
    const int64_t drawn = one.drawn();
    if (drawn == 0) {  // from here on each sample has random numbers of its own
        chance_[size_t(next.slot)] =
            stream(request.seed, Stream::generation, 1 + uint64_t(one.sample));
    }
    if (one.read > 0) {
        report(next, one, scores, on_token);
    }
    if (drawn >= request.max_tokens) {
        end(next.slot, End::max_tokens, on_end);
    } else if (int64_t(one.tokens.size()) == model_.settings().context) {
        end(next.slot, End::context, on_end);
    }
}

// The router's choice for each, or what the rule of its text makes of it.
void Generator::choose_experts(std::span<Next> together) {
    router_->choose(together, chance_);
    for (size_t n = 0; n < together.size(); ++n) {
        const ExpertRule& rule = text(together[n].slot).request->experts;
        if (!rule.is_none()) {
            together[n].expert =
                rule.allowed(together[n].expert, scores(n), moe_.router->num_experts());
        }
    }
}

// The router's scores (K) for row `row` of those it chose for last, or none.
std::span<const real> Generator::scores(size_t row) const {
    const std::span<const real> all = router_->scores();
    return all.empty() ? all : all.subspan(row * probabilities_.size(), probabilities_.size());
}

// What the logits say about the token `id` that follows.
void Generator::judge(Text& one, std::span<const real> logits, int32_t id, Sampler& sampler) {
    if (one.request->log_probabilities) {
        one.log_probability = log_probability(logits, id);
        const auto likeliest = sampler.likeliest(logits, one.request->likeliest);
        one.likeliest.assign(likeliest.begin(), likeliest.end());
    }
}

void Generator::report(const Next& next, const Text& judged, std::span<const real> scores,
                       const OnToken& on_token) {
    const Text& one = text(next.slot);
    if (one.gone) {
        return;
    }
    Token token{.sample = next.slot, .id = next.token, .expert = next.expert};
    if (one.request->log_probabilities) {
        token.log_probability = judged.log_probability;
        token.likeliest = judged.likeliest;
    }
    if (one.request->router && !scores.empty()) {
        // softmax(scores)
        const real best = *std::ranges::max_element(scores);
        double total = 0;
        for (size_t k = 0; k < scores.size(); ++k) {
            probabilities_[k] = std::exp(scores[k] - best);
            total += double(probabilities_[k]);
        }
        for (real& probability : probabilities_) {
            probability = real(double(probability) / total);
        }
        token.router = probabilities_;
    }
    on_token(token);
}

void Generator::end(int64_t place, End why, const OnEnd& on_end) {
    if (text(place).gone) {
        return;
    }
    text(place).busy = false;
    if (on_end) {
        on_end(place, why);
    }
}

// What has been read of one text becomes that of another with the same prompt.
void Generator::hand_over(int64_t from, int64_t to) {
    model_.copy(from, to);
    router_->copy(int32_t(from), int32_t(to));
    chance_[size_t(to)] = chance_[size_t(from)];
    text(to).read = text(from).read;
    text(to).log_probability = text(from).log_probability;
    text(to).likeliest = text(from).likeliest;
}

// Frees the places of texts that have left. If one was reading a prompt for others, the first of
// them goes on.
void Generator::remove_gone() {
    for (int64_t place = 0; place < int64_t(texts_.size()); ++place) {
        if (!text(place).busy || !text(place).gone) {
            continue;
        }
        text(place).busy = false;
        if (text(place).leader != place) {
            continue;
        }
        int64_t next = -1;
        for (int64_t other = 0; other < int64_t(texts_.size()); ++other) {
            if (text(other).busy && text(other).leader == place) {
                if (next < 0) {
                    next = other;
                    hand_over(place, next);
                }
                text(other).leader = next;
            }
        }
        const auto at = std::ranges::find(reading_, place);
        if (next < 0) {
            reading_.erase(at);
        } else {
            *at = next;
        }
    }
}

// `rows` rows of logits from row `first` on.
std::span<real> Generator::logits(int64_t first, int64_t rows) {
    const auto V = size_t(model_.settings().outputs);
    return std::span(logits_).subspan(size_t(first) * V, size_t(rows) * V);
}

}  // namespace smoe
