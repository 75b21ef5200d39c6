// Lesson 13: from logits to text. Softmax makes probabilities of the logits, and a token is drawn.
// Three knobs change how boldly: the temperature, by which logits are divided; top-k, which keeps
// the k likeliest; top-p (the nucleus), which keeps as many of the likeliest as are needed to pass
// the probability p. The drawn token is the next input. A naive loop computes the whole text anew
// for each token; a key/value cache keeps what attention needs of each position (lesson 11), which
// is possible since a position never looks at later ones.
// Claims: `Sampler` draws with the probabilities that loops compute. At temperature 0.5 more than
// nine tenths of the words that a small model writes occur in its text, at 2 less than half.
// With the cache, the logits are the same up to rounding, for a fraction of the rows.
// Next: 14_experts.cpp. The library's loop: models/generation/generator.h.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "core/threads.h"
#include "models/generation/sampling.h"
#include "models/text/corpus/corpus.h"
#include "models/transformer/incremental_decoder.h"
#include "nn/flat_parameters.h"
#include "nn/optim/optimizer.h"

using namespace smoe;

namespace {

constexpr int64_t vocab = 128, context = 64;  // characters of ASCII
using Ids = std::vector<int32_t>;

// What each token is drawn with; `logits` fall, so the likeliest come first.
std::vector<double> probabilities(const std::vector<real>& logits, const Sampling& sampling) {
    std::vector<double> p;
    for (const real logit : logits) {
        p.push_back(std::exp(logit / sampling.temperature));
    }
    const double total = std::accumulate(p.begin(), p.end(), 0.0);
    double before = 0, kept = 0;
    for (size_t i = 0; i < p.size(); ++i) {
        const bool out = (sampling.top_k > 0 && i >= size_t(sampling.top_k)) ||
                         (sampling.kind == "nucleus" && before > sampling.top_p * total);
        before += p[i];
        kept += p[i] = out ? 0 : p[i];
    }
    std::ranges::transform(p, p.begin(), [kept](double one) { return one / kept; });
    return p;
}

void show(const char* what, const Sampling& sampling) {
    const std::vector<real> logits = {3, 2, 1.5, 0, -1};
    const std::vector<double> p = probabilities(logits, sampling);
    std::vector<int> drawn(p.size());
    Sampler sampler;
    Rng rng(13);
    constexpr int draws = 20000;
    for (int i = 0; i < draws; ++i) {
        ++drawn[size_t(sampler.draw(logits, sampling, rng))];
    }
    fmt::print("    {:18}", what);
    for (size_t i = 0; i < p.size(); ++i) {
        fmt::print("{:8.3f}", p[i]);
        const double deviation = std::sqrt(p[i] * (1 - p[i]) / draws);
        check(std::abs(drawn[i] / double(draws) - p[i]) <= 4 * deviation,
              "lesson: {}: token {} was drawn {} times", what, i, drawn[i]);
    }
    fmt::print("\n");
}

// A transformer of two blocks that learns pieces of the text.
void train(Decoder& model, const std::string& text, Rng& rng) {
    const FlatParameters flat(model);
    const auto optimizer =
        make_optimizer("schedule_free", flat.values(), flat.grads(), {.lr = 1e-2, .warmup = 20});
    for (int step = 0; step < 1500; ++step) {
        Ids inputs, targets;
        std::vector<int64_t> offsets = {0};
        for (int piece = 0; piece < 8; ++piece) {
            const auto from = text.begin() + long(rng.below(text.size() - context));
            inputs.insert(inputs.end(), from, from + context);
            targets.insert(targets.end(), from + 1, from + 1 + context);
            offsets.push_back(int64_t(inputs.size()));
        }
        backward(mean(model.losses({inputs, offsets}, {}, targets)));
        optimizer->step();
        flat.zero_grad();
    }
    optimizer->eval();
}

// Writes until the context is full, with a cache. The naive way must give the same logits.
std::string write(const Decoder& model, double temperature, Rng& rng) {
    const NoGrad no_grad;
    IncrementalDecoder cached(model, 1);
    Sampler sampler;
    std::vector<real> logits(vocab);
    Ids written = {'\n'};
    while (written.size() < context) {
        const IncrementalDecoder::Next next = {
            .slot = 0, .token = written.back(), .expert = no_expert};
        cached.append({&next, 1}, logits);                                       // computes one row
        const Tensor naive = model.forward(Sequences::of(written), {}).value();  // all rows
        for (int64_t v = 0; v < vocab; ++v) {
            check(std::abs(naive.data()[naive.numel() - vocab + v] - logits[size_t(v)]) < 1e-3,
                  "lesson: the cache should not change the logits");
        }
        written.push_back(
            sampler.draw(logits, {.kind = "multinomial", .temperature = temperature}, rng));
    }
    return {written.begin() + 1, written.end()};
}

}  // namespace

int main() {
    set_threads(1);  // little work: beside busy programs, two threads would be many times slower
    fmt::print("Logits 3, 2, 1.5, 0 and -1 as probabilities:\n");
    show("as they are", {.kind = "multinomial"});
    show("temperature 0.5", {.kind = "multinomial", .temperature = 0.5});
    show("temperature 2", {.kind = "multinomial", .temperature = 2});
    show("top-k 3", {.kind = "multinomial", .top_k = 3});
    show("top-p 0.8", {.kind = "nucleus", .top_p = 0.8});

    std::string text;
    for (uint64_t i = 0; text.size() < 80000; ++i) {
        const Story story = corpus_story(13, i);
        text += story.domain == "english" ? story.text + "\n" : "";
    }
    std::istringstream in(text);
    const std::set<std::string> all(std::istream_iterator<std::string>(in), {});
    Rng rng(13);
    DecoderSettings settings{.vocab = vocab, .outputs = vocab, .context = context, .width = 64};
    settings.layers = 2, settings.heads = 4, settings.hidden = 128, settings.num_experts = 1;
    Decoder model(settings, rng);
    train(model, text, rng);

    fmt::print("\nWritten by a small model, and the share of its words that occur in its text:\n");
    for (const double temperature : {0.5, 1.0, 2.0}) {
        double known = 0, count = 0;
        std::string written;
        for (int story = 0; story < 20; ++story) {
            written = write(model, temperature, rng);
            std::istringstream words(written);
            for (std::string word; words >> word && !words.eof(); ++count) {  // the end is cut off
                known += all.contains(word);
            }
        }
        std::ranges::replace(written, '\n', ' ');
        fmt::print("    {:3}  {:3.0f} %  {}\n", temperature, 100 * known / count, written);
        check(temperature != 0.5 || known > 0.9 * count, "lesson: cool words should be known");
        check(temperature != 2.0 || known < 0.5 * count, "lesson: hot words should not");
    }
    fmt::print("For each text the cache computed {} rows; the naive way computes {}.\n",
               context - 1, (context - 1) * context / 2);
    return 0;
}
