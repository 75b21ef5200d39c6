// Lesson 8: a language model guesses the next character. First it counts which one follows which;
// then a network learns the same from random weights. New here: a Module, whose parameters have
// names, and an optimiser, which changes them. The loss is the mean -log of the probability that
// was given to the true next character: in nats with the natural logarithm, in bits with base 2.
// Claims: a network that sees one character cannot beat the counts on the text it learned from, and
// comes within 0.02 nats of them. On unseen text, a network that sees eight is better than that one
// by more than 1 nat.
// Next: 09_tokenizer.cpp, larger pieces of text.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <numbers>
#include <numeric>
#include <string>
#include <vector>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "core/threads.h"
#include "models/text/corpus/corpus.h"
#include "nn/flat_parameters.h"
#include "nn/layers.h"
#include "nn/linear.h"
#include "nn/optim/optimizer.h"

using namespace smoe;

namespace {

constexpr int64_t V = 128, width = 128, context = 8;  // characters of ASCII; numbers; most seen
using Ids = std::vector<int32_t>;

// The characters at `distance` before each place.
Ids back(const std::string& text, const Ids& places, int distance) {
    Ids found;
    for (const int32_t place : places) {
        found.push_back(text[size_t(place - distance)]);
    }
    return found;
}

// Each character adds its row of the table for its distance. The sum goes through relu and gives V
// scores.
struct Network : Module {
    Network(int sees, Rng& rng) : Module(Scope{}), scores({this, "scores"}, width, V, true, rng) {
        for (int distance = 1; distance <= sees; ++distance) {
            tables.emplace_back(Scope{this, fmt::format("table_{}", distance)}, V, width, rng);
        }
    }
    Variable logits(const std::string& text, const Ids& places) const {
        Variable x = tables[0].forward(back(text, places, 1));  // (N, width)
        for (int distance = 2; distance <= int(tables.size()); ++distance) {
            x = x + tables[size_t(distance - 1)].forward(back(text, places, distance));
        }
        return scores.forward(relu(x));  // (N, V)
    }
    Variable loss(const std::string& text, const Ids& places) const {
        return mean(cross_entropy(logits(text, places), back(text, places, 0)));
    }
    std::deque<Embedding> tables;  // deque: modules do not move
    Linear scores;
};

void train(Network& network, const std::string& text, Rng& rng) {
    const FlatParameters flat(network);
    const auto optimizer = make_optimizer("schedule_free", flat.values(), flat.grads(),
                                          {.lr = 0.02, .weight_decay = 0, .warmup = 20});
    for (int step = 0; step < 1000; ++step) {
        Ids places(512);
        for (int32_t& place : places) {
            place = int32_t(context + rng.below(text.size() - context));
        }
        backward(network.loss(text, places));
        optimizer->step();
        flat.zero_grad();
    }
    optimizer->eval();
}

double loss(const Network& network, const std::string& text) {
    const NoGrad no_grad;
    Ids places(text.size() - context);
    std::iota(places.begin(), places.end(), int32_t(context));
    return network.loss(text, places).value().item();
}

// Draws one character after another, each from what the network predicts after the text so far.
std::string write(const Network& network) {
    Rng rng(1);
    std::string text(context, '\n');
    while (text.size() < 160) {
        const Variable next = softmax(network.logits(text, {int32_t(text.size())}));  // (1, V)
        text += char(rng.categorical(next.value().values()));
    }
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text.substr(context);
}

void print(const char* who, double nats, const std::string& of) {
    fmt::print("{:24}{:8.3f} nats ={:7.3f} bits   {}\n", who, nats, nats / std::numbers::ln2, of);
}

}  // namespace

int main() {
    set_threads(1);  // little work: beside busy programs, two threads would be many times slower
    std::string text, unseen;
    for (uint64_t i = 0; unseen.size() < 20000; ++i) {
        const Story story = corpus_story(5, i);
        if (story.domain == "english") {
            (text.size() < 80000 ? text : unseen) += story.text + "\n";
        }
    }
    std::vector<double> pairs(V * V, 0), firsts(V, 0);
    for (size_t i = context; i < text.size(); ++i) {
        pairs[size_t(text[i - 1] * V + text[i])] += 1;
        firsts[size_t(text[i - 1])] += 1;
    }
    double counted = 0;  // -log(pair / first), averaged over the text
    for (size_t i = context; i < text.size(); ++i) {
        counted -= std::log(pairs[size_t(text[i - 1] * V + text[i])] / firsts[size_t(text[i - 1])]);
    }
    counted /= double(text.size() - context);
    const double t_h = pairs[size_t('t' * V + 'h')] / firsts['t'];
    fmt::print("Counted in {} characters. For example, 'h' follows 't' in {:.0f} % of cases.\n",
               text.size(), 100 * t_h);

    Rng rng(5);
    Network one(1, rng), eight(context, rng);
    train(one, text, rng);
    train(eight, text, rng);
    const double learned = loss(one, text), one_unseen = loss(one, unseen);
    const double eight_unseen = loss(eight, unseen);

    fmt::print("\nLoss per character:\n");
    print("no idea, 1 of 128", std::log(double(V)), "whatever comes");
    print("counts of pairs", counted, "of the text that was counted");
    print("sees 1 character", learned, "of the same text, which it learned from");
    print("", one_unseen, "of text that it has never seen");
    print("sees 8 characters", loss(eight, text), "of the text that it learned from");
    print("", eight_unseen, "of text that it has never seen");
    fmt::print("\nWhat the first writes:  {}\nand the second:  {}\n", write(one), write(eight));
    check(learned > counted - 1e-4 && learned < counted + 0.02,
          "lesson: one character should give the loss of the counts, {:.4f}, found {:.4f}", counted,
          learned);
    check(eight_unseen < one_unseen - 1, "lesson: eight characters should be better by 1 nat");
    return 0;
}
