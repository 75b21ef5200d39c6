// Lesson 14: one network, many experts. An expert is the network with a fixed part of its neurons
// switched off. Here all English text is assigned to expert 0 and all German text to expert 1.
// Claims: when expert 0 learns, the weights of neurons that only expert 1 keeps stay the same to
// the bit. (A weight decay above 0 would shrink them in each step.) Expert 1 learns all the same,
// if they share neurons. At equal cost, sharing no neuron is best with much text, sharing all is
// best with little, and sharing half lies in between. Experts that share no neuron are nearly
// separate networks: they still share the tables of bytes and the last layer's bias.
// Next: 15_router.cpp. What a mask saves: autograd/ops/sparse_feed_forward.cpp.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "core/threads.h"
#include "examples/drawings.h"
#include "models/text/corpus/corpus.h"
#include "nn/flat_parameters.h"
#include "nn/layers.h"
#include "nn/linear.h"
#include "nn/optim/optimizer.h"

using namespace smoe;

namespace {

constexpr int64_t V = 256, width = 64, hidden = 96, context = 6;  // bytes; sizes; bytes seen
using Texts = std::vector<std::string>;                           // English, German
using Ids = std::vector<int32_t>;

// Lesson 8's network with a layer of neurons, of which each expert keeps half.
struct Network : Module {
    Network(const Tensor& expert_masks, Rng rng)  // (2, hidden), 1 for a neuron that is kept
        : Module(Scope{}),
          masks(expert_masks),
          tables({this, "tables"}, context * V, width, rng),
          neurons({this, "neurons"}, width, hidden, true, rng),
          scores({this, "scores"}, hidden, V, true, rng) {}
    Variable loss(const std::string& text, const Ids& places, int32_t expert) const {
        const auto back = [&](int64_t distance, int64_t first_row) {
            Ids rows;
            for (const int32_t place : places) {
                rows.push_back(int32_t(first_row + uint8_t(text[size_t(place - distance)])));
            }
            return rows;
        };
        Variable x = tables.forward(back(1, 0));  // (N, width)
        for (int64_t distance = 2; distance <= context; ++distance) {
            x = x + tables.forward(back(distance, (distance - 1) * V));
        }
        x = mask_rows(relu(neurons.forward(x)), masks, Ids(places.size(), expert));  // (N, hidden)
        return mean(cross_entropy(scores.forward(x), back(0, 0)));
    }
    Tensor masks;
    Embedding tables;  // V rows for each distance
    Linear neurons, scores;
};

// A step takes 256 random places of each text; text i goes to expert i.
void train(Network& network, const Texts& texts, int steps) {
    Rng rng(8);
    const FlatParameters flat(network);
    const auto optimizer = make_optimizer("schedule_free", flat.values(), flat.grads(),
                                          {.lr = 0.01, .weight_decay = 0, .warmup = 20});
    for (int step = 0; step < steps; ++step) {
        for (size_t i = 0; i < texts.size(); ++i) {
            Ids places(256);
            for (int32_t& place : places) {
                place = int32_t(context + rng.below(texts[i].size() - context));
            }
            backward(network.loss(texts[i], places, int32_t(i)));  // adds to the gradients
        }
        optimizer->step();
        flat.zero_grad();
    }
    optimizer->eval();
}

double loss(const Network& network, const std::string& text, int32_t expert) {
    const NoGrad no_grad;
    Ids places(text.size() - context);
    std::iota(places.begin(), places.end(), int32_t(context));
    return network.loss(text, places, expert).value().item();
}

// Stories of each language. Of every five in the corpus, two are English and two German.
Texts read(uint64_t first, uint64_t stories) {
    Texts texts(2);
    for (uint64_t i = first; i < first + 5 * stories / 2; ++i) {
        const Story story = corpus_story(8, i);
        texts[story.domain == "german"] += story.domain == "sums" ? "" : story.text + "\n";
    }
    return texts;
}

// Masks by which each of two experts keeps half of the neurons; both keep `shared` quarters of all.
Tensor halves(size_t shared) {
    const Tensor masks = Tensor::zeros({2, hidden});
    std::fill_n(masks.data(), hidden / 2, real(1));
    std::fill_n(masks.data() + hidden + (2 - shared) * hidden / 4, hidden / 2, real(1));
    return masks;
}

void print(const std::string& what, const std::array<double, 3>& x) {
    fmt::print("    {:34}{:8.3f}{:8.3f}{:8.3f}\n", what, x[0], x[1], x[2]);
}

}  // namespace

int main() {
    set_threads(1);  // little work: beside busy programs, two threads would be many times slower
    const Texts unseen = read(1000, 50);
    fmt::print("The neurons that experts 0 and 1 keep if they share half of theirs:");
    for (int64_t i = 0; i < 2 * hidden; ++i) {
        fmt::print("{}{}", i % hidden == 0 ? "\n  " : "", halves(1).data()[i] > 0 ? "█" : "·");
    }
    fmt::print(
        "\nThe model draws them at random. All neurons start from random numbers of one kind, so "
        "only\nhow many are shared matters.\n\n");
    fmt::print("Share of neurons in common{:>19}{:>8}{:>8}\n", "none", "half", "all");
    fmt::print("Expert 0 learns English, 100 steps. What only expert 1 keeps stays, to the bit.\n");
    fmt::print("Loss on unseen English, nats a byte:\n");
    std::array<double, 3> x = {}, y = {};
    for (size_t shared : {0, 1, 2}) {
        Network network(halves(shared), Rng(8));
        // The weights to, of and from the neurons that expert 0 does not keep, in one row.
        const auto rest = [&] {
            const Variable to = narrow(network.neurons.weight, 0, hidden / 2, hidden / 2);
            const Variable of = narrow(*network.neurons.bias, 0, hidden / 2, hidden / 2);
            const Variable from = narrow(network.scores.weight, 1, hidden / 2, hidden / 2);
            std::vector<real> all(to.value().values().begin(), to.value().values().end());
            all.insert(all.end(), of.value().values().begin(), of.value().values().end());
            all.insert(all.end(), from.value().values().begin(), from.value().values().end());
            return all;
        };
        const std::vector<real> before = rest();
        x[shared] = loss(network, unseen[0], 1);
        train(network, {read(0, 200)[0]}, 100);
        y[shared] = loss(network, unseen[0], 1);
        check(before == rest(), "lesson: it changed what it does not keep");
    }
    print("expert 1, before", x);
    print("expert 1, after", y);
    check(y[0] > x[0] - 0.5 && y[1] < x[1] - 1, "lesson: expert 1 should learn by sharing");
    fmt::print("Each learns its language, 400 steps. Loss on unseen text of both:\n");
    for (const uint64_t stories : {4, 20, 200}) {
        for (size_t shared : {0, 1, 2}) {
            Network network(halves(shared), Rng(8));
            train(network, read(0, stories), 400);
            x[shared] = (loss(network, unseen[0], 0) + loss(network, unseen[1], 1)) / 2;
        }
        print(fmt::format("from {} stories of each language", stories), x);
        check(stories != 4 || (x[0] > x[1] && x[1] > x[2]), "lesson: sharing should pay");
        check(stories != 200 || (x[0] < x[1] && x[1] < x[2]), "lesson: sharing should cost");
    }
    draw_families("14_experts");
    return 0;
}
