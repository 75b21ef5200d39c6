// Stories are chosen by hash: taking every twentieth would hold out only German where English and
// German alternate. The count goes on from one domain to the next: otherwise rounding would leave
// many small domains without any story held out.
// Read next: dataset.cpp.
#include "models/text/story_split.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "core/hash.h"
#include "models/text/story_reader.h"

namespace smoe {
namespace {

// All copies of one text.
struct Text {
    std::string_view text;
    std::string_view domain;  // the first by name
    uint64_t hash = 0;
    int64_t copies = 0;
    bool held_out = false;
};

using Texts = std::unordered_map<std::string_view, Text>;

// FNV-1a with its bits mixed (the end of MurmurHash3), since the last bytes of a text leave its
// upper bits unchanged.
uint64_t mixed_hash(std::string_view text) {
    uint64_t hash = hash_bytes(text);
    hash = (hash ^ hash >> 33) * 0xFF51AFD7ED558CCD;
    hash = (hash ^ hash >> 33) * 0xC4CEB9FE1A85EC53;
    return hash ^ hash >> 33;
}

Texts texts_of(const std::vector<Story>& stories) {
    Texts texts;
    for (const Story& story : stories) {
        Text& text = texts[story.text];
        if (text.copies == 0) {
            text = {story.text, story.domain, mixed_hash(story.text)};
        }
        text.domain = std::min<std::string_view>(text.domain, story.domain);
        ++text.copies;
    }
    return texts;
}

void choose(Texts& texts, double share) {
    std::vector<Text*> order;
    for (auto& [key, text] : texts) {
        order.push_back(&text);
    }
    std::sort(order.begin(), order.end(), [](const Text* a, const Text* b) {
        return std::tie(a->domain, a->hash, a->text) < std::tie(b->domain, b->hash, b->text);
    });
    // Adding up shares would fall short of whole numbers.
    const auto held_out = [&](int64_t n) { return int64_t(std::floor(double(n) * share + 1e-9)); };
    int64_t counted = 0;
    for (auto begin = order.begin(); begin != order.end();) {
        const auto end = std::find_if(
            begin, order.end(), [&](const Text* text) { return text->domain != (*begin)->domain; });
        const int64_t before = held_out(counted);
        std::for_each(begin, end, [&](const Text* text) { counted += text->copies; });
        for (int64_t room = held_out(counted) - before; begin != end; ++begin) {
            (*begin)->held_out = (*begin)->copies <= room;
            room -= (*begin)->held_out ? (*begin)->copies : 0;
        }
    }
}

}  // namespace

StorySplit split_stories(std::vector<Story> stories, double share) {
    Texts texts = texts_of(stories);
    choose(texts, share);
    std::vector<bool> held_out;  // computed before the texts that `texts` views move away
    for (const Story& story : stories) {
        held_out.push_back(texts.at(story.text).held_out);
    }
    StorySplit split;
    for (size_t i = 0; i < stories.size(); ++i) {
        (held_out[i] ? split.valid : split.train).push_back(std::move(stories[i]));
    }
    return split;
}

StorySplit read_split(const std::vector<std::string>& data, const std::vector<std::string>& valid,
                      double share) {
    std::vector<Story> stories = read_stories(data);
    return valid.empty() ? split_stories(std::move(stories), share)
                         : StorySplit{std::move(stories), read_stories(valid)};
}

int64_t count_known(const StorySplit& split) {
    std::unordered_map<std::string_view, int64_t> copies;
    for (const Story& story : split.valid) {
        ++copies[story.text];
    }
    int64_t known = 0;
    for (const Story& story : split.train) {
        const auto found = copies.find(story.text);
        if (found != copies.end()) {
            known += found->second;
            copies.erase(found);
        }
    }
    return known;
}

}  // namespace smoe
