// Which stories a model learns from, and which are held out to measure it. The choice depends on the
// texts and their domains alone, not on the order of a file or a seed: runs on the same stories are
// measured on the same ones.
// Refuses to compare texts by anything but their bytes.
//
// Read next: dataset.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/text/story.h"

namespace smoe {

struct StorySplit {
    std::vector<Story> train, valid;  // each in the order of the files
};

// Holds out `share`, in [0, 1), of the stories of each domain: of the first n stories, counted domain
// by domain in the order of their names, floor(n * share). In each domain they are the ones whose
// texts have the smallest hashes. Copies of a text count for one domain, the first by name, and stay
// together; if there are more of them than that domain holds out, they stay in training.
StorySplit split_stories(std::vector<Story> stories, double share);

// The stories of the files: training text from `data`, held-out text from `valid`, or, where that
// names no file, a share of the former. Throws as read_stories.
StorySplit read_split(const std::vector<std::string>& data, const std::vector<std::string>& valid,
                      double share);

// Held-out stories whose text the training stories have, too.
int64_t count_known(const StorySplit& split);

}  // namespace smoe
