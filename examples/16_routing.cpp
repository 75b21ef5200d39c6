// Lesson 16: what routing buys, at the same work for each byte. One layer of neurons predicts the
// next byte of English, German and sums, as in lesson 14. The dense network has 48 neurons, and a
// second one 192. Those with experts have 192, of which an expert keeps 48: either experts are
// disjoint, and share no neuron, or each keeps 48 at random, so that two of them share 12 on
// average. A hash of the last byte picks the expert, or a gate, which learns: a row of weights for
// each expert scores what comes in, the best one works, and its output is multiplied by its score,
// so that gradients reach the gate. A bias keeps all experts busy (nn/gate.h).
// Claims: on unseen text each kind of routing beats the dense network of the same work, and the
// dense network of four times the work beats them all. Which kind is best, such a toy cannot tell.
// The table at the end is that of the study, on real text.
// Next: 17_story.cpp. The study: examples/study/README.md.
#include <fmt/core.h>

#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "core/file.h"
#include "core/threads.h"
#include "models/text/corpus/corpus.h"
#include "nn/flat_parameters.h"
#include "nn/gate.h"
#include "nn/layers.h"
#include "nn/linear.h"
#include "nn/optim/optimizer.h"

using namespace smoe;

namespace {

constexpr int64_t V = 256, width = 64, kept = 48, num_experts = 4, context = 4;
using Ids = std::vector<int32_t>;

struct Arm {
    const char* name;
    int64_t hidden;
    const char* masks;  // a family of nn/masks.h; null: dense
    bool gate;          // otherwise the hash
};
constexpr std::array<Arm, 6> arms = {{{"dense, 48 neurons", kept, nullptr, false},
                                      {"gate, 4 masks of 48 of 192", 4 * kept, "exact", true},
                                      {"hash, 4 masks of 48 of 192", 4 * kept, "exact", false},
                                      {"gate, 4 disjoint experts", 4 * kept, "partition", true},
                                      {"hash, 4 disjoint experts", 4 * kept, "partition", false},
                                      {"dense, 192 neurons", 4 * kept, nullptr, false}}};

struct Network : Module {
    Network(const Arm& arm, Rng rng)
        : Module(Scope{}),
          of(arm),
          tables({this, "tables"}, context * V, width, rng),
          neurons({this, "neurons"}, width, arm.hidden, true, rng),
          scores({this, "scores"}, arm.hidden, V, true, rng),
          gate({this, "gate"}, width, num_experts, {}, rng) {
        if (arm.masks != nullptr) {
            Rng chance(16);
            masks = draw_masks(arm.masks, {num_experts, 0.75}, arm.hidden, chance);
        }
    }
    // `counts` gets the number of bytes that each expert works on.
    Variable loss(const std::string& text, const Ids& places, std::vector<int64_t>& counts) const {
        const auto back = [&](int64_t distance, int64_t first_row = 0) {
            Ids rows;
            for (const int32_t place : places) {
                rows.push_back(int32_t(first_row + uint8_t(text[size_t(place - distance)])));
            }
            return rows;
        };
        Variable x = tables.forward(back(1));  // (N, width)
        for (int64_t distance = 2; distance <= context; ++distance) {
            x = x + tables.forward(back(distance, (distance - 1) * V));
        }
        Variable h = relu(neurons.forward(x));  // (N, hidden)
        if (of.masks != nullptr) {
            Experts hash = back(1);
            for (int32_t& byte : hash) {
                byte = byte * 7 % 31 % num_experts;
            }
            const Routing routing =
                of.gate ? gate.route(x, Sequences::of(hash), 0, {}) : Routing(hash, num_experts);
            h = mask_rows(h, masks, routing.experts);
            h = of.gate ? scale_rows(h, routing.weights) : h;
            for (const int32_t expert : routing.experts) {
                ++counts[size_t(expert)];
            }
        }
        return mean(cross_entropy(scores.forward(h), back(0)));
    }
    const Arm& of;
    Embedding tables;  // V rows for each distance
    Linear neurons, scores;
    Gate gate;
    Tensor masks;  // (num_experts, hidden)
};

// Loss on unseen text after 300 steps.
double train(const Arm& arm, const std::string& text, const std::string& unseen, uint64_t seed) {
    Network network(arm, Rng(seed));
    const FlatParameters flat(network);
    const auto optimizer = make_optimizer("schedule_free", flat.values(), flat.grads(),
                                          {.lr = 0.01, .weight_decay = 0, .warmup = 20});
    Rng rng(seed, 1);
    for (int step = 0; step < 300; ++step) {
        Ids places(512);
        for (int32_t& place : places) {
            place = int32_t(context + rng.below(text.size() - context));
        }
        std::vector<int64_t> counts(num_experts);
        backward(network.loss(text, places, counts));
        optimizer->step();
        network.gate.balance(counts);
        flat.zero_grad();
    }
    optimizer->eval();
    const NoGrad no_grad;
    Ids places(unseen.size() - context);
    std::iota(places.begin(), places.end(), int32_t(context));
    std::vector<int64_t> counts(num_experts);
    return network.loss(unseen, places, counts).value().item();
}

std::string read(uint64_t first, size_t size) {
    std::string text;
    for (uint64_t i = first; text.size() < size; ++i) {
        text += corpus_story(16, i).text + "\n";
    }
    return text;
}

// The first table below "Results so far" in the study's page, so that it is always today's.
void print_study() {
    const std::string page = read_file("examples/study/README.md");
    const size_t begin = page.find("\n| arm", page.find("## Results so far"));
    check(begin != std::string::npos, "lesson: examples/study/README.md has no table of results");
    fmt::print("{}\n", page.substr(begin, page.find("\n\n", begin) - begin));
}

}  // namespace

int main() {
    set_threads(1);  // little work: beside busy programs, two threads would be many times slower
    const std::string text = read(0, 200000), unseen = read(10000, 20000);
    fmt::print("Nats a byte on unseen text, for two seeds:\n");
    std::vector<double> loss;
    for (const Arm& arm : arms) {
        const double one = train(arm, text, unseen, 1), two = train(arm, text, unseen, 2);
        fmt::print("    {:28}{:8.3f}{:8.3f}\n", arm.name, one, two);
        loss.push_back((one + two) / 2);
    }
    for (size_t i = 1; i < 5; ++i) {
        check(loss[i] < loss[0] - 0.1, "lesson: {} should beat the dense network", arms[i].name);
        check(loss[i] > loss[5], "lesson: {} should not beat four times the work", arms[i].name);
    }
    fmt::print("\nThe study: real text, transformers of 4 blocks (examples/study):\n");
    print_study();
    return 0;
}
