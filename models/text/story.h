// One story as every part of the program passes it on: its text and the domain that it belongs to.
// It does not say whether the story came from a file, the built-in corpus or a model.
//
// Read next: corpus/corpus.h, which invents stories.
#pragma once

#include <string>

namespace smoe {

struct Story {
    std::string text;
    std::string domain;
};

}  // namespace smoe
