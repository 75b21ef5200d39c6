// Which stories are held out. The tests are laws, as no story is chosen by hand. Holding out every
// n-th story of a file would break each of them.
// Read next: dataset_test.cpp.
#include "models/text/story_split.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/check.h"
#include "core/rng.h"

using namespace smoe;

namespace {

// Stories in domains of the given names, in turns.
std::vector<Story> in_turns(int count, const std::vector<std::string>& domains) {
    std::vector<Story> stories;
    for (int i = 0; i < count; ++i) {
        stories.push_back({fmt::format("A fox came by, and then {} more.", i),
                           domains[size_t(i) % domains.size()]});
    }
    return stories;
}

std::map<std::string, int> by_domain(const StoryList& stories) {
    std::map<std::string, int> counts;
    for (const Story& story : stories.texts()) {
        ++counts[story.domain];
    }
    return counts;
}

std::multiset<std::string> texts(const StoryList& stories) {
    std::multiset<std::string> result;
    for (const Story& story : stories.texts()) {
        result.insert(story.text);
    }
    return result;
}

}  // namespace

TEST_CASE("story split: domains that take turns have their share each") {
    using Counts = std::map<std::string, int>;
    CHECK(by_domain(split_stories(in_turns(200, {"en", "de"}), 0.05).valid) ==
          Counts{{"de", 5}, {"en", 5}});
    CHECK(by_domain(split_stories(in_turns(200, {"a", "b", "c", "d", "e"}), 0.1).valid) ==
          Counts{{"a", 4}, {"b", 4}, {"c", 4}, {"d", 4}, {"e", 4}});
    // Too few for one each: the share of all is kept.
    std::vector<std::string> names;
    for (int i = 0; i < 100; ++i) {
        names.push_back(std::to_string(i));
    }
    const auto small = by_domain(split_stories(in_turns(1000, names), 0.05).valid);
    CHECK(small.size() == 50);
}

TEST_CASE("story split: the share is kept to the last story") {
    for (const double share : {0.0, 0.01, 0.1, 0.29, 0.3, 0.5, 0.7, 0.99}) {
        for (const int count : {1, 2, 9, 10, 99, 100}) {
            CAPTURE(share);
            CAPTURE(count);
            const StorySplit split = split_stories(in_turns(count, {"x", "z", "y"}), share);
            CHECK(int(split.valid.size()) == int(count * share + 1e-9));
            CHECK(int(split.train.size() + split.valid.size()) == count);
        }
    }
    CHECK(split_stories({}, 0.5).train.empty());
}

TEST_CASE("story split: the order of the stories stays, and decides nothing") {
    std::vector<Story> stories = in_turns(300, {"a", "b", "c"});
    const StorySplit split = split_stories(stories, 0.2);
    for (const auto* part : {&split.train, &split.valid}) {
        size_t at = 0;
        for (const Story& story : part->texts()) {
            while (at < stories.size() && stories[at].text != story.text) {
                ++at;
            }
        }
        CHECK(at < stories.size());
    }
    // Not every n-th, nor the first or the last ones, of each domain.
    std::set<int> gaps;
    for (size_t i = 0, last = 0; i < stories.size(); ++i) {
        if (texts(split.valid).contains(stories[i].text)) {
            gaps.insert(int(i - last));
            last = i;
        }
    }
    CHECK(gaps.size() > 5);

    Rng rng(5);
    for (int round = 0; round < 5; ++round) {
        rng.shuffle(std::span<Story>(stories));
        CHECK(texts(split_stories(stories, 0.2).valid) == texts(split.valid));
    }
    // More of another domain's stories, or a larger share, and the old ones stay held out.
    const StorySplit more = split_stories(stories, 0.4);
    const auto old = texts(split.valid), larger = texts(more.valid);
    CHECK(std::includes(larger.begin(), larger.end(), old.begin(), old.end()));
}

TEST_CASE("story split: copies of a text are on one side") {
    Rng rng(6);
    for (int round = 0; round < 20; ++round) {
        std::vector<Story> stories;
        for (int i = 0; i < 200; ++i) {
            stories.push_back({fmt::format("story {}", rng.below(100)),
                               std::string(1, char('a' + rng.below(3)))});
        }
        const StorySplit split = split_stories(stories, 0.2);
        CHECK(count_known(split) == 0);
        CHECK(split.valid.size() > 30);
        CHECK(split.valid.size() <= 40);
        auto all = texts(split.train);
        all.merge(texts(split.valid));
        CHECK(all == texts(stories));
        rng.shuffle(std::span<Story>(stories));
        CHECK(texts(split_stories(stories, 0.2).valid) == texts(split.valid));
    }
    // A text that is half of all stays where one learns.
    std::vector<Story> stories = in_turns(50, {"a"});
    stories.insert(stories.end(), 50, Story{"Once more.", "a"});
    const StorySplit split = split_stories(stories, 0.1);
    CHECK(split.valid.size() == 10);
    CHECK(texts(split.train).count("Once more.") == 50);
}

TEST_CASE("story split: held-out stories that training knows are counted") {
    const std::vector<Story> stories = in_turns(10, {"a", "b"});
    CHECK(count_known({stories, stories}) == 10);
    CHECK(count_known({stories, in_turns(12, {"c"})}) == 10);
    const std::vector<Story> twice = {stories[3], stories[3]};
    CHECK(count_known({twice, std::vector<Story>{stories[3], stories[2], stories[3]}}) == 2);
    CHECK(count_known({stories, {}}) == 0);
}
