// Lesson 15: how a router learns, and when it fails. Two languages of eight letters: in one each
// letter is followed by the next, in the other by the one before. The model sees one letter, so
// only the choice of expert can tell it the language. The router sees all letters so far, and learns
// by the original's two losses (models/transformer/routers/router_loss.h). "Correctness" only
// punishes: it lowers the probability of an expert where its letter lost more than the average.
// "Distribution" asks for equal shares. Claims: the router finds the languages if two experts know
// one each and do not change. If they learn, as in training, it ends at chance: while it guesses,
// each expert gets letters of both languages and learns both, until losses are the same whoever is
// chosen, and nothing is left to punish. Without the distribution loss it tells languages apart, but
// letter by letter: expert 0 is one language after 'a' and the other after 'b'.
// Next: 16_routing.cpp. This loop: models/training/trainer.cpp.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "core/threads.h"
#include "models/transformer/routers/learned.h"
#include "models/transformer/routers/router_loss.h"
#include "nn/flat_parameters.h"
#include "nn/optim/optimizer.h"

using namespace smoe;

namespace {

constexpr int64_t letters = 8, length = 8, num_experts = 2;

// Sequences of the two languages in turn, end to end.
struct Batch {
    Sequences sequences, letters_alone;  // the same letters; in the second, each is a sequence
    std::vector<int32_t> targets;
    Experts language;

    Batch(int count, Rng& rng) {
        std::vector<int32_t> inputs;
        std::vector<int64_t> borders = {0}, single = {0};
        for (int32_t i = 0; i < count; ++i) {
            auto letter = int32_t(rng.below(letters));
            for (int64_t t = 0; t < length; ++t) {
                inputs.push_back(letter);
                letter = int32_t((letter + (i % 2 == 0 ? 1 : letters - 1)) % letters);
                targets.push_back(letter);
                language.push_back(i % 2);
                single.push_back(int64_t(inputs.size()));
            }
            borders.push_back(int64_t(inputs.size()));
        }
        sequences = Sequences(inputs, borders);
        letters_alone = Sequences(inputs, single);
    }
};

// For the model and for the router, which differ in their outputs.
DecoderSettings settings(int64_t outputs) {
    DecoderSettings s{.vocab = letters, .outputs = outputs, .context = length, .width = 32};
    s.layers = 1, s.heads = 2, s.hidden = 64, s.num_experts = num_experts, s.mask_rate = 0.5;
    return s;
}

// A network and its optimiser.
struct Learner {
    explicit Learner(Module& module)
        : flat(module),
          optimizer(make_optimizer("schedule_free", flat.values(), flat.grads(),
                                   {.lr = 5e-3, .warmup = 20})) {}
    void learn(const Variable& loss) {
        backward(loss);
        optimizer->step();
        flat.zero_grad();
    }
    FlatParameters flat;
    std::unique_ptr<Optimizer> optimizer;
};

// How often the language can be told from the expert; count[2 language + expert].
double told(const std::array<double, 4>& count) {
    return std::max(count[0] + count[3], count[1] + count[2]) /
           (count[0] + count[1] + count[2] + count[3]);
}

struct Told {
    double always, by_letter, differ;
};

// `taught` steps give each expert a language; then the router learns, and the model unless `fixed`.
Told run(const char* what, int taught, bool fixed, bool distribute) {
    Rng rng(9);
    Decoder model(settings(letters), rng);
    LearnedRouter router(settings(num_experts), 600, Rng(9, 1));
    Learner model_learner(model), router_learner(*router.module());
    const auto losses_of = [&model](const Batch& batch, const Experts& experts) {  // (N)
        return model.losses(batch.letters_alone, experts, batch.targets);
    };
    for (int step = 0; step < taught; ++step) {
        const Batch batch(64, rng);
        model_learner.learn(mean(losses_of(batch, batch.language)));
    }
    for (int step = 0; step < 600; ++step) {
        const Batch batch(64, rng);
        const Variable r = softmax(router.network().forward(batch.sequences, {}));
        const Experts experts = sample_experts(r.value(), rng);
        const Variable losses = losses_of(batch, experts);
        // the first lowers experts whose tokens lose more than the average, the second asks
        // for equal shares
        const auto [correctness, distribution] =
            router_losses(r, experts, losses.value(), batch.sequences.positions());
        router_learner.learn(distribute ? correctness + distribution : correctness);
        if (!fixed) {
            model_learner.learn(mean(losses));
        }
    }
    model_learner.optimizer->eval();
    router_learner.optimizer->eval();
    const NoGrad no_grad;
    const Batch batch(400, rng);
    router.eval();
    const Experts experts = router.choose(batch.sequences, rng);  // argmax
    std::array<std::array<double, 4>, letters + 1> count = {};    // after each letter, and overall
    for (size_t i = 0; i < experts.size(); ++i) {
        if (i % length > 0) {  // nobody can know the language at the first letter
            const size_t cell = 2 * size_t(batch.language[i]) + size_t(experts[i]);
            count[size_t(batch.sequences.tokens()[i])][cell] += 1;
            count[letters][cell] += 1;
        }
    }
    const Tensor zero = losses_of(batch, Experts(experts.size(), 0)).value();
    const Tensor one = losses_of(batch, Experts(experts.size(), 1)).value();
    double differ = 0;  // nats between the losses of the two experts
    for (size_t i = 0; i < experts.size(); ++i) {
        differ += std::abs(zero.data()[i] - one.data()[i]) / double(experts.size());
    }
    double by_letter = 0;
    for (size_t letter = 0; letter < letters; ++letter) {  // all are equally frequent
        by_letter += told(count[letter]) / letters;
    }
    fmt::print("    {:45}{:6.1f} %{:7.1f} %{:9.2f}\n", what, 100 * told(count[letters]),
               100 * by_letter, differ);
    return {told(count[letters]), by_letter, differ};
}

}  // namespace

int main() {
    set_threads(1);  // little work: beside busy programs, two threads would be many times slower
    fmt::print(
        "How often the choice of expert tells the language (guessing: 50 %), overall and by\n"
        "letter; last, how far the losses of the two experts differ, in nats.\n\n"
        "    {:45}{:>8}{:>9}{:>9}\n",
        "The router learns for 600 steps, while", "overall", "letter", "differ");
    const Told fixed = run("each expert knows a language and stays", 300, true, true);
    const Told learn_on = run("each expert knows a language and learns on", 300, false, true);
    const Told alike = run("experts start alike and learn: as in training", 0, false, true);
    const Told unfair = run("the same without the distribution loss", 0, false, false);
    check(fixed.always > 0.9, "lesson: the router should find what the experts know");
    for (const Told& learning : {learn_on, alike}) {
        check(learning.by_letter < 0.7, "lesson: it should not find languages while experts learn");
        check(learning.differ < fixed.differ / 4, "lesson: those experts should become alike");
    }
    check(unfair.always < 0.75 && unfair.by_letter > 0.9,
          "lesson: without distribution it should tell languages apart letter by letter");
    return 0;
}
