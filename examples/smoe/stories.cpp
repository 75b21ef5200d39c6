// split_stories: the share that is held out is spread evenly over the stories, so that each part of
// a file, and each domain in it, has its part.
// Read next: train.cpp.
#include "examples/smoe/stories.h"

#include "models/story_reader.h"

namespace smoe {

std::pair<std::vector<Story>, std::vector<Story>> split_stories(const Config& config) {
    std::vector<Story> stories = read_stories(config.data);
    if (!config.valid.empty()) {
        return {std::move(stories), read_stories(config.valid)};
    }
    std::vector<Story> train, valid;
    double owed = 0;
    for (Story& story : stories) {
        owed += config.valid_share;
        if (owed >= 1) {
            owed -= 1;
            valid.push_back(std::move(story));
        } else {
            train.push_back(std::move(story));
        }
    }
    return {std::move(train), std::move(valid)};
}

}  // namespace smoe
