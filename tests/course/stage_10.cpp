// Stage 10: tokenizer, experts, attention, AdamW and sampling, all of it written in the stages
// before, learn together to tell stories. In double precision, as all that the course builds.
// Read next: examples/17_story.cpp, which is the same in float and with a router that learns.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/threads.h"
#include "models/generation/generator.h"
#include "models/text/corpus/corpus.h"
#include "models/text/dataset.h"
#include "models/training/evaluation.h"
#include "models/training/trainer.h"

using namespace smoe;

TEST_CASE("stage 10: story") {
    set_threads(1);  // so little work is not worth sharing
    std::vector<Story> stories, unseen;
    std::vector<std::string_view> texts;
    for (uint64_t i = 0; unseen.size() < 50; ++i) {
        const Story story = corpus_story(4, i);
        if (story.domain == "english") {
            (stories.size() < 950 ? stories : unseen).push_back(story);
        }
    }
    for (const Story& story : stories) {
        texts.push_back(story.text);
    }
    const Tokenizer tokenizer = Tokenizer::train(texts, 1024, PreTokenizer::gpt2);
    Config config = preset("tiny");
    config.precision = Precision::float32;
    config.model.vocab_size = tokenizer.vocab_size();
    config.model.sizes = {.width = 48, .layers = 2, .heads = 4, .hidden = 256, .dropout = 0};
    config.model.experts.count = 4;
    config.optimizer = "adamw";
    config.optim = {.lr = 0.008, .warmup = 50, .schedule = Schedule::cosine, .steps = 400};
    config.batch = 8, config.steps = 400;
    const Dataset data(stories, tokenizer, dataset_settings(config));
    const Dataset held_out(unseen, tokenizer, dataset_settings(config));
    Trainer trainer(config, data);
    for (int step = 1; step <= config.steps; ++step) {
        const double loss = trainer.step().loss;
        if (step == 1 || step % 100 == 0) {
            fmt::print("step {:3}  loss {:.3f} nats a token\n", step, loss);
        }
    }
    const Trainer::EvaluationMode evaluation_mode(trainer);
    const double loss = evaluate(trainer.moe(), held_out, config.seed, 0).total.loss();
    fmt::print("loss on stories that it has never seen: {:.3f}\n\n", loss);
    Generator generator(trainer.moe(), tokenizer.end_of_text(), 1);
    std::vector<int32_t> told;
    generator.run(tokenizer.encode("Once upon a time"), {.temperature = 0.5}, 3,
                  config.model.context,
                  [&](const Generator::Token& token) { told.push_back(token.id); });
    fmt::print("{}\n", tokenizer.decode(told));
    CHECK_MESSAGE(loss < 1.2,
                  "the loss should be below 1.2, where knowing nothing gives log(1025) = 6.9");
    CHECK_MESSAGE(told.size() > 20, "a story has more than twenty tokens");
}
