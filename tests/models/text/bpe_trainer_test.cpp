// Learning merges: small corpora by hand, and random ones against a trainer that recounts
// everything.
// Read next: tokenizer_test.cpp.
#include "models/text/bpe_trainer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

#include "core/rng.h"
#include "core/threads.h"
#include "tests/error_of.h"

// What a failed CHECK prints of a merge.
template <>
struct doctest::StringMaker<smoe::Merge> {
    static String convert(const smoe::Merge& merge) {
        return "(" + toString(merge.left) + ", " + toString(merge.right) + " -> " +
               toString(merge.merged) + ")";
    }
};

using namespace smoe;
using namespace std::string_literals;

namespace {

using Stories = std::vector<std::string>;

std::vector<std::string_view> views(const Stories& stories) {
    return {stories.begin(), stories.end()};
}

int32_t id_of(char byte) {
    const auto bytes = bytes_in_id_order();
    return int32_t(std::find(bytes.begin(), bytes.end(), uint8_t(byte)) - bytes.begin());
}

std::vector<Merge> learn(const Stories& stories, int count, PreTokenizer pre) {
    return learn_merges(views(stories), count, pre);
}

// The definition, word for word: recount all pairs, join the best one everywhere.
std::vector<Merge> learn_slowly(const Stories& stories, int count, PreTokenizer pre) {
    std::vector<std::vector<int32_t>> words;
    for (const std::string& story : stories) {
        for_each_word(story, pre, [&](std::string_view word) {
            words.emplace_back();
            for (const char byte : word) {
                words.back().push_back(id_of(byte));
            }
        });
    }
    std::vector<Merge> merges;
    while (int(merges.size()) < count) {
        std::map<std::pair<int32_t, int32_t>, int> counts;
        for (const auto& word : words) {
            for (size_t i = 1; i < word.size(); ++i) {
                ++counts[{word[i - 1], word[i]}];
            }
        }
        // The first of the highest count is the smallest such pair: a map is sorted.
        const auto best =
            std::max_element(counts.begin(), counts.end(),
                             [](const auto& a, const auto& b) { return a.second < b.second; });
        if (best == counts.end() || best->second < 2) {
            break;
        }
        const auto [left, right] = best->first;
        merges.push_back({left, right, int32_t(256 + merges.size())});
        for (auto& word : words) {
            std::vector<int32_t> joined;
            for (size_t i = 0; i < word.size(); ++i) {
                const bool both = word[i] == left && i + 1 < word.size() && word[i + 1] == right;
                joined.push_back(both ? merges.back().merged : word[i]);
                i += both ? 1 : 0;
            }
            word = joined;
        }
    }
    return merges;
}

}  // namespace

TEST_CASE("bpe_trainer: ids of bytes are those of GPT-2's byte alphabet") {
    CHECK(id_of('!') == 0);
    CHECK(id_of('~') == 93);
    CHECK(id_of('\xA1') == 94);
    CHECK(id_of('\xFF') == 187);
    CHECK(id_of('\0') == 188);
    CHECK(id_of(' ') == 220);
    CHECK(id_of('\xAD') == 255);
}

TEST_CASE("bpe_trainer: aaabdaaabac") {
    // (a, a) occurs four times, overlaps included; then (a, b) and (aa, a) twice, and the smaller
    // pair wins; then (aa, ab) twice; then nothing twice.
    const int32_t a = id_of('a'), b = id_of('b');
    const std::vector<Merge> expected = {{a, a, 256}, {a, b, 257}, {256, 257, 258}};
    CHECK(learn({"aaabdaaabac"}, 100, PreTokenizer::none) == expected);
    CHECK(learn({"aaabdaaabac"}, 100, PreTokenizer::gpt2) == expected);
    CHECK(learn({"aaabdaaabac"}, 2, PreTokenizer::none).size() == 2);
    CHECK(learn({"aaabdaaabac"}, 0, PreTokenizer::none).empty());
}

TEST_CASE("bpe_trainer: ties go to the smaller ids, which are not the smaller bytes") {
    CHECK(learn({"zy", "ab", "zy", "ab"}, 1, PreTokenizer::none).at(0).left == id_of('a'));
    CHECK(learn({"ac", "ab", "ac", "ab"}, 1, PreTokenizer::none).at(0).right == id_of('b'));
    CHECK(learn({"\0\0"s, "zz", "\0\0"s, "zz"}, 1, PreTokenizer::none).at(0).left == id_of('z'));
    CHECK(learn({"zy", "ab", "zy", "ab", "zy"}, 1, PreTokenizer::none).at(0).left == id_of('z'));
}

TEST_CASE(
    "bpe_trainer: no merge crosses a story or a word, and none is learned from a single pair") {
    CHECK(learn({"a", "b", "a", "b", "a", "b"}, 10, PreTokenizer::none).empty());
    CHECK(learn({"ab"}, 10, PreTokenizer::none).empty());
    CHECK(learn({"ab", "ab"}, 10, PreTokenizer::none).size() == 1);
    CHECK(learn({"a1a1a1"}, 10, PreTokenizer::gpt2).empty());
    CHECK(learn({"a1a1a1"}, 10, PreTokenizer::none).size() == 2);
    CHECK(learn({}, 10, PreTokenizer::gpt2).empty());
    CHECK(learn({"", ""}, 10, PreTokenizer::none).empty());
    CHECK(learn({"aa"}, 10, PreTokenizer::none).empty());
    CHECK(learn({"aaa"}, 10, PreTokenizer::none).size() == 1);  // (a, a) at two places
}

TEST_CASE("bpe_trainer: equals a trainer that recounts everything") {
    Rng rng(2);
    for (int round = 0; round < 150; ++round) {
        const uint64_t alphabet = 1 + rng.below(5);
        Stories stories(rng.below(6));
        for (std::string& story : stories) {
            for (uint64_t i = rng.below(80); i > 0; --i) {
                story += "aabc 1"[rng.below(alphabet + 1)];
            }
        }
        if (stories.size() > 2) {
            stories[1] = stories[2];  // in mode `none` too some words occur more than once
        }
        for (const PreTokenizer pre : {PreTokenizer::gpt2, PreTokenizer::none}) {
            const int count = int(rng.below(40));
            REQUIRE(learn(stories, count, pre) == learn_slowly(stories, count, pre));
        }
    }
}

TEST_CASE("bpe_trainer: the number of threads changes nothing") {
    Rng rng(3);
    Stories stories(300);
    for (std::string& story : stories) {
        while (story.size() < 10'000) {
            const uint64_t word = rng.below(2000) * rng.below(2000) / 2000;
            story += ' ';
            story += std::to_string(word);
            story += {char('a' + word % 26), char('a' + word % 23)};
        }
    }
    const int before = threads();
    for (const PreTokenizer pre : {PreTokenizer::gpt2, PreTokenizer::none}) {
        const size_t part = pre == PreTokenizer::gpt2 ? 300 : 150;
        const std::vector<std::string_view> texts = views(stories);
        REQUIRE(share_borders(std::span(texts).first(part)).size() > 2);
        set_threads(1);
        const auto alone = learn_merges(std::span(texts).first(part), 60, pre);
        CHECK(alone.size() == 60);
        for (const int count : {2, 4}) {
            set_threads(count);
            CHECK(learn_merges(std::span(texts).first(part), 60, pre) == alone);
        }
    }
    set_threads(before);
}

TEST_CASE("bpe_trainer: a long word takes no longer than many short ones") {
    const auto merges = learn({std::string(300'000, 'a')}, 1000, PreTokenizer::gpt2);
    CHECK(merges.size() >= 17);  // 2, 4, 8, ... 131072 times a
    CHECK(merges[0] == Merge{id_of('a'), id_of('a'), 256});
    CHECK(merges[1] == Merge{256, 256, 257});
}
