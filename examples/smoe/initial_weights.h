// --init: a new run that starts from the weights of another one, or of a folder that `smoe export`
// made. What the weights fit comes from there, all else may be given anew.
// Read next: initial_weights.cpp, which settings these are; models/training/trainer.h, start_from.
#pragma once

#include <string>

#include "models/text/tokenizer.h"
#include "models/training/config.h"

namespace smoe {

// The settings of a new run that starts from `folder`, before any flag: those of the folder, but on
// no text, and with a router that learns no more.
Config settings_from(const std::string& folder);

// Throws Error, naming the flag, for the first setting of `config` that does not fit the weights in
// config.init.
void require_same_model(const Config& config);

// The tokenizer of config.init. Throws Error if config.tokenizer is another one.
Tokenizer initial_tokenizer(const Config& config);

}  // namespace smoe
