// The text of the measurements, which is the built-in corpus or the user's file; its tokenizer; and
// the one batch of it that all variants train on.
// Read next: training.cpp.
#pragma once

#include <string>
#include <vector>

#include "models/text/dataset.h"
#include "models/text/story.h"
#include "models/text/tokenizer.h"
#include "models/training/config.h"

namespace smoe::bench {

// The stories of `path`, or for "" the first 20,000 of the built-in corpus.
std::vector<Story> load_stories(const std::string& path);

std::vector<std::string_view> texts_of(const std::vector<Story>& stories);

// The tokenizer is learned from the first 4000 stories, which is as good for speed and does not
// take minutes.
Tokenizer make_tokenizer(const Config& config, const std::vector<Story>& stories);

// The first config.batch stories, or as many of them as have at most `max_tokens` tokens.
Batch make_batch(const Config& config, const std::vector<Story>& stories,
                 const Tokenizer& tokenizer, int64_t max_tokens);

}  // namespace smoe::bench
