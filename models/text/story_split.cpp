// Stories are chosen by hash: taking every twentieth would hold out only German where English and
// German alternate. The count goes on from one domain to the next: otherwise rounding would leave
// many small domains without any story held out.
// Read next: dataset.cpp.
#include "models/text/story_split.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <unordered_map>

#include "core/threads.h"

namespace smoe {
namespace {

struct Numbered {
    StoryKey key;
    int32_t story;
};

// Sorted by hash and length, so that the copies of a text are neighbours, and among those by domain.
// Hashes are spread evenly, so their first byte cuts the work into even shares.
std::vector<Numbered> sorted_by_text(const std::vector<StoryKey>& keys) {
    constexpr size_t shares = 256;
    const auto share_of = [](const StoryKey& key) { return size_t(key.hash >> 56); };
    std::array<size_t, shares + 1> borders = {};
    for (const StoryKey& key : keys) {
        ++borders[share_of(key) + 1];
    }
    for (size_t share = 0; share < shares; ++share) {
        borders[share + 1] += borders[share];
    }
    std::vector<Numbered> sorted(keys.size());
    std::array<size_t, shares + 1> next = borders;
    for (size_t i = 0; i < keys.size(); ++i) {
        sorted[next[share_of(keys[i])]++] = {keys[i], int32_t(i)};
    }
    parallel_chunks(shares, [&](int64_t share) {
        const auto tuple = [](const Numbered& one) {
            return std::tuple(one.key.hash, one.key.bytes, one.key.domain, one.story);
        };
        const auto begin = sorted.begin();
        std::sort(begin + ptrdiff_t(borders[size_t(share)]),
                  begin + ptrdiff_t(borders[size_t(share) + 1]),
                  [&](const Numbered& a, const Numbered& b) { return tuple(a) < tuple(b); });
    });
    return sorted;
}

// All copies of one text: some neighbours of the sorted ones.
struct Text {
    size_t begin, end;
    int64_t copies() const { return int64_t(end - begin); }
};

std::vector<bool> held_out(const std::vector<StoryKey>& keys, size_t domains, double share) {
    const std::vector<Numbered> sorted = sorted_by_text(keys);
    std::vector<std::vector<Text>> texts(domains);  // of each domain, by hash
    for (size_t begin = 0; begin < sorted.size();) {
        const StoryKey& key = sorted[begin].key;
        size_t end = begin;
        while (end < sorted.size() && sorted[end].key.hash == key.hash &&
               sorted[end].key.bytes == key.bytes) {
            ++end;
        }
        texts[size_t(key.domain)].push_back({begin, end});
        begin = end;
    }
    // Adding up shares would fall short of whole numbers.
    const auto floor_share = [&](int64_t n) {
        return int64_t(std::floor(double(n) * share + 1e-9));
    };
    std::vector<bool> chosen(keys.size());
    int64_t counted = 0;
    for (const std::vector<Text>& domain : texts) {
        const int64_t before = floor_share(counted);
        for (const Text& text : domain) {
            counted += text.copies();
        }
        int64_t room = floor_share(counted) - before;
        for (const Text& text : domain) {
            if (text.copies() <= room) {
                room -= text.copies();
                for (size_t i = text.begin; i < text.end; ++i) {
                    chosen[size_t(sorted[i].story)] = true;
                }
            }
        }
    }
    return chosen;
}

// Of a text.
struct KeyHash {
    size_t operator()(const std::pair<uint64_t, uint32_t>& text) const {
        return size_t(text.first ^ text.second);
    }
};

}  // namespace

StorySplit split_stories(StoryList stories, double share) {
    const std::vector<bool> chosen = held_out(stories.keys(), stories.domain_names().size(), share);
    auto [train, valid] = StoryList::divided(std::move(stories), chosen);
    return {std::move(train), std::move(valid)};
}

StorySplit read_split(const std::vector<std::string>& data, const std::vector<std::string>& valid,
                      double share) {
    StoryList stories = read_list(data);
    return valid.empty() ? split_stories(std::move(stories), share)
                         : StorySplit{std::move(stories), read_list(valid)};
}

int64_t count_known(const StorySplit& split) {
    std::unordered_map<std::pair<uint64_t, uint32_t>, int64_t, KeyHash> copies;
    for (const StoryKey& key : split.valid.keys()) {
        ++copies[{key.hash, key.bytes}];
    }
    int64_t known = 0;
    for (const StoryKey& key : split.train.keys()) {
        const auto found = copies.find({key.hash, key.bytes});
        if (found != copies.end()) {
            known += found->second;
            copies.erase(found);
        }
    }
    return known;
}

}  // namespace smoe
