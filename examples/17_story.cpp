// Lesson 17: the whole model in less than 40 lines of main, on top of models/. A generator invents
// English and German stories and small sums, a tokenizer learns their most frequent pieces, and a
// model learns to continue a text: a router picks an expert for each token, and all experts share
// one network. Then the model tells a story. Claim: after 600 steps the loss on stories that it has
// never seen is below 2.3 nats a token, where knowing nothing gives log(1025) = 6.9.
// Next: examples/smoe/train.cpp, the same with files and flags; models/training/trainer.cpp, what a step is.
#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include "core/check.h"
#include "core/threads.h"
#include "models/generation/generator.h"
#include "models/text/corpus/corpus.h"
#include "models/text/dataset.h"
#include "models/text/tokenizer.h"
#include "models/training/evaluation.h"
#include "models/training/progress.h"
#include "models/training/trainer.h"

using namespace smoe;

int main() {
    set_threads(1);  // little work: beside busy programs, two threads would be many times slower
    std::vector<Story> stories, unseen;
    for (uint64_t i = 0; i < 2000; ++i) {
        (i < 1900 ? stories : unseen).push_back(corpus_story(10, i));
    }
    std::vector<std::string_view> texts;
    std::ranges::transform(stories, std::back_inserter(texts), &Story::text);
    const Tokenizer tokenizer = Tokenizer::train(texts, 1024, PreTokenizer::gpt2);

    Config config = preset("tiny_original");
    config.model.vocab_size = tokenizer.vocab_size();
    config.model.sizes = {.width = 64, .layers = 2, .heads = 4, .hidden = 256, .dropout = 0};
    config.model.router.sizes = {.width = 32, .layers = 1, .heads = 2, .hidden = 128, .dropout = 0};
    config.model.experts.count = 4, config.batch = 4, config.optim.warmup = 50,
    config.model.router.steps = 100;

    const Dataset data(stories, tokenizer, dataset_settings(config));
    Trainer trainer(config, data);
    for (int step = 1; step <= 600; ++step) {
        const double loss = trainer.step().loss;
        if (step == 1 || step % 100 == 0) {
            fmt::print("step {:3}  loss {:.3f} nats a token\n", step, loss);
        }
    }

    const Dataset held_out(unseen, tokenizer, dataset_settings(config));
    const Trainer::EvaluationMode evaluation_mode(trainer);
    Evaluation result = evaluate(trainer.moe(), held_out, config.seed, 0);
    result.domains.push_back(result.total);
    fmt::print("\nOn stories that it has never seen    loss   share of each expert\n");
    for (const EvaluationPart& part : result.domains) {
        fmt::print("    {:28}{:9.3f}   {}\n", part.domain, part.loss(), bars(part.expert_tokens));
    }

    fmt::print("\n");
    Generator generator(trainer.moe(), tokenizer.end_of_text(), 1);
    generator.run(tokenizer.encode("Once upon a time"), {.temperature = 0.5}, 1,
                  config.model.context,
                  [&](const auto& token) { fmt::print("{}", tokenizer.token_bytes(token.id)); });
    fmt::print("\n");
    check(result.total.loss() < 2.3, "lesson: the loss should be below 2.3, it is {:.3f}",
          result.total.loss());
    return 0;
}
