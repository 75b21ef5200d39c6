// Stories, tokenizer, batches: from the built-in corpus unless a text is given, so that a number
// can be repeated without any download.
// Read next: training_step.cpp.
#include "tests/bench/text.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "models/text/corpus/corpus.h"
#include "models/text/story_reader.h"
#include "models/training/trainer.h"

namespace smoe::bench {
namespace {

constexpr size_t built_in_stories = 20000, enough_to_learn = 4000;

}  // namespace

std::vector<Story> load_stories(const std::string& path) {
    if (!path.empty()) {
        return read_stories(path);
    }
    std::vector<Story> stories;
    for (uint64_t index = 0; index < built_in_stories; ++index) {
        stories.push_back(corpus_story(1, index));
    }
    return stories;
}

std::vector<std::string_view> texts_of(const std::vector<Story>& stories) {
    std::vector<std::string_view> texts;
    for (const Story& story : stories) {
        texts.push_back(story.text);
    }
    return texts;
}

Tokenizer make_tokenizer(const Config& config, const std::vector<Story>& stories) {
    std::vector<std::string_view> texts = texts_of(stories);
    texts.resize(std::min(texts.size(), enough_to_learn));
    return Tokenizer::train(texts, int(config.entries), config.pre_tokenizer);
}

Batch make_batch(const Config& config, const std::vector<Story>& stories,
                 const Tokenizer& tokenizer, int64_t max_tokens) {
    const size_t count = std::min(size_t(config.batch), stories.size());
    const Dataset data(std::span<const Story>(stories).first(count), tokenizer,
                       dataset_settings(config));
    std::vector<int64_t> sequences(size_t(data.size()));
    std::iota(sequences.begin(), sequences.end(), int64_t(0));
    Batch batch = data.batch(sequences);
    while (batch.size() > max_tokens && sequences.size() > 1) {
        sequences.pop_back();
        batch = data.batch(sequences);
    }
    return batch;
}

}  // namespace smoe::bench
