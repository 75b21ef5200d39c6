// split_stories: the share that is held out is spread evenly over the stories, so that each part of
// a file, and each domain in it, has its part.
// Read next: train.cpp.
#include "examples/smoe/stories.h"

#include <cmath>

#include "models/text/story_reader.h"

namespace smoe {

std::pair<std::vector<Story>, std::vector<Story>> split_stories(const Config& config) {
    std::vector<Story> stories = read_stories(config.data);
    if (!config.valid.empty()) {
        return {std::move(stories), read_stories(config.valid)};
    }
    // Of the first n stories floor(n * share): a sum of shares would fall short of whole numbers.
    const auto held_out = [&](size_t n) {
        return std::floor(double(n) * config.valid_share + 1e-9);
    };
    std::vector<Story> train, valid;
    for (size_t i = 0; i < stories.size(); ++i) {
        (held_out(i + 1) > held_out(i) ? valid : train).push_back(std::move(stories[i]));
    }
    return {std::move(train), std::move(valid)};
}

}  // namespace smoe
