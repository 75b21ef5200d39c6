// A run small enough for tests: a few stories, a tokenizer of 300 tokens, a model of a few thousand
// weights.
// Read next: tests/models/training/trainer_test.cpp.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "models/text/corpus/corpus.h"
#include "models/text/dataset.h"
#include "models/text/tokenizer.h"
#include "models/training/config.h"
#include "models/training/trainer.h"

namespace smoe {

inline std::vector<Story> small_stories(int64_t count) {
    std::vector<Story> stories;
    for (int64_t index = 0; index < count; ++index) {
        stories.push_back(corpus_story(7, uint64_t(index)));
    }
    return stories;
}

inline Tokenizer small_tokenizer(const std::vector<Story>& stories) {
    std::vector<std::string_view> texts;
    for (const Story& story : stories) {
        texts.push_back(story.text);
    }
    return Tokenizer::train(texts, 299, PreTokenizer::gpt2);
}

inline Config small_config() {
    Config config;
    config.model.sizes = {.width = 16, .layers = 2, .heads = 2, .hidden = 32, .dropout = 0.1};
    config.model.router.sizes = {.width = 8, .layers = 1, .heads = 2, .hidden = 16, .dropout = 0.1};
    config.model.context = 40;
    config.model.experts.count = 4;
    config.model.router.steps = 6;
    config.model.router.warmup = 3;
    config.optim.lr = 5e-3;
    config.optim.warmup = 4;
    config.batch = 3;
    config.model.vocab_size = 300;
    return config;
}

// Stories, tokenizer and dataset of one configuration.
struct SmallRun {
    explicit SmallRun(const Config& run_config)
        : stories(small_stories(20)),
          tokenizer(small_tokenizer(stories)),
          config(run_config),
          data(stories, tokenizer, dataset_settings(run_config)) {}

    std::vector<Story> stories;
    Tokenizer tokenizer;
    Config config;
    Dataset data;
};

// A folder for one test case of one process, since the tests may run twice at the same time. It is
// removed afterwards.
struct TemporaryFolder {
    explicit TemporaryFolder(const std::string& name)
        : path((std::filesystem::temp_directory_path() /
                ("smoe-test-" + std::to_string(::getpid()) + "-" + name))
                   .string()) {
        std::filesystem::remove_all(path);
        std::filesystem::create_directories(path);
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path); }
    std::string path;
};

}  // namespace smoe
