// Exercise: learn the merges of byte-pair encoding (Sennrich, Haddow, Birch, 2016) in the slow,
// obvious way. They must be those of models/text/bpe_trainer.h, which is fast. Each story is one
// word, a row of ids; ids 0 to 255 are bytes_in_id_order() (models/text/bpe.h). Up to `count`
// times:
//     count all pairs of neighbours, overlaps included: "aaa" holds (a, a) twice
//     take the most frequent pair; among equals the smaller left id, then the smaller right id
//     stop if it does not occur twice; otherwise merge number i joins it to id 256 + i everywhere,
//     from left to right: "aaa" becomes (aa, a)
// Level 2 of 3, about 60 minutes. Two hints are at the end.
#include <span>
#include <string>
#include <string_view>

#include "core/rng.h"
#include "core/text.h"
#include "models/text/bpe_trainer.h"
#include "models/text/corpus/corpus.h"
#include "tests/exercises/exercise.h"

std::vector<smoe::Merge> slow_merges(std::span<const std::string_view> stories, int count);

using namespace smoe;

namespace {

int32_t id_of(char byte) {
    constexpr auto bytes = bytes_in_id_order();
    return int32_t(std::ranges::find(bytes, uint8_t(byte)) - bytes.begin());
}

std::string text_of(const std::vector<Merge>& merges, size_t i) {
    return i < merges.size()
               ? fmt::format("({}, {}) -> {}", merges[i].left, merges[i].right, merges[i].merged)
               : "none";
}

void expect_merges(const std::vector<std::string_view>& stories, int count,
                   const std::vector<Merge>& expected) {
    const std::vector<Merge> found = slow_merges(stories, count);
    size_t same = 0;
    while (same < expected.size() && same < found.size() && expected[same] == found[same]) {
        ++same;
    }
    CHECK_MESSAGE(found == expected,
                  fmt::format("slow_merges of \"{}\": merge {} "
                              "should be {}, found {}",
                              to_valid_utf8(join({stories.begin(), stories.end()}, "|")), same,
                              text_of(expected, same), text_of(found, same)));
}

void check_same(const std::vector<std::string>& stories, int count) {
    const std::vector<std::string_view> views(stories.begin(), stories.end());
    expect_merges(views, count, learn_merges(views, count, PreTokenizer::none));
}

}  // namespace

TEST_CASE("slow_merges: by hand") {
    const int32_t a = id_of('a'), b = id_of('b'), blank = id_of(' ');
    expect_merges({"ab b", "xab"}, 9, {{a, b, 256}});
    expect_merges({"aaaa"}, 1, {{a, a, 256}});
    expect_merges({"a a a b"}, 2, {{a, blank, 256}, {256, 256, 257}});
    expect_merges({"abab"}, 0, {});
    expect_merges({"a", "", "b"}, 5, {});
    expect_merges({}, 5, {});
}

TEST_CASE("slow_merges: the merges of the fast trainer") {
    Rng rng(1);
    for (int trial = 0; trial < 200; ++trial) {  // few letters: many equals and overlaps
        std::vector<std::string> stories(1 + rng.below(4));
        for (std::string& story : stories) {
            for (uint64_t left = rng.below(40); left > 0; --left) {
                story += char("ab \xC3"[rng.below(2 + rng.below(3))]);
            }
        }
        check_same(stories, int(rng.below(30)));
    }
    std::vector<std::string> stories;
    for (uint64_t i = 0; i < 6; ++i) {
        stories.push_back(corpus_story(1, i).text);
    }
    check_same(stories, 80);
}

// Hint 1: keep one vector of ids for each story. A std::map from pairs of ids to counts is sorted
// by left id, then right id, so the first of the largest counts is the pair to take.
// Hint 2: to merge, write a new vector: where left and right follow each other, push the new id and
// skip one. Building it anew from left to right gives (aa, a) for "aaa" by itself.
