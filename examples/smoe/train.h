// What `smoe train` decides before its first step, for commands that start runs.
// Read next: study_plan.cpp, which asks it about every run of a plan.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/text/story.h"
#include "models/text/tokenizer.h"
#include "models/training/config.h"

namespace smoe {

// The settings of a new run that `smoe train` is given these words for. Throws what it would say of
// them: Error or UsageError. Reads no text.
Config train_config(const std::vector<std::string>& words);

// Whether such a run is given a tokenizer, by --tokenizer or in a token file. If not, it learns one.
bool has_tokenizer(const Config& config);
std::optional<Tokenizer> given_tokenizer(const Config& config);

// The tokenizer of a run that is given none, learned from its training stories.
Tokenizer learn_tokenizer(const Config& config, const std::vector<Story>& stories);

}  // namespace smoe
