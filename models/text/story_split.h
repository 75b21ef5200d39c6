// Which stories a model learns from, and which are held out to measure it. The choice depends on
// the texts and their domains alone, not on the order of a file or a seed, so runs on the same
// stories are measured on the same ones, whether they read text or token files. Two texts are taken
// for the same if their hashes of 64 bits and their lengths are.
//
// Read next: dataset.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/text/story_list.h"

namespace smoe {

struct StorySplit {
    StoryList train, valid;  // each in the order of the files
};

// Holds out `share`, in [0, 1), of the stories of each domain. The domains are counted in the order
// of their names, and floor(n * share) of the first n stories are held out. Each domain holds out
// the stories whose texts have the smallest hashes. Copies of a text stay together and count for
// one domain, the first by name. If there are more copies than that domain holds out, they stay in
// training.
StorySplit split_stories(StoryList stories, double share);

// The stories of the files: training text from `data`, held-out text from `valid` or, if that names
// no file, a share of `data`. Throws like read_list.
StorySplit read_split(const std::vector<std::string>& data, const std::vector<std::string>& valid,
                      double share);

// How many held-out stories have a text that is also among the training stories.
int64_t count_known(const StorySplit& split);

}  // namespace smoe
