// Which stories a run learns from, and on which ones it is measured. `train` splits them, `report`
// looks at the second part again.
// Read next: models/text/story_reader.h.
#pragma once

#include <utility>
#include <vector>

#include "models/text/story.h"
#include "models/training/config.h"

namespace smoe {

// Training and held-out stories: from the files that config.data and config.valid name, or, where
// the latter names none, every n-th of the former is held out. Throws as read_stories.
std::pair<std::vector<Story>, std::vector<Story>> split_stories(const Config& config);

}  // namespace smoe
