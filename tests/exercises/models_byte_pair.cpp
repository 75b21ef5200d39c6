// Exercise: learn the merges of byte-pair encoding (Sennrich, Haddow, Birch, 2016) in the slow,
// obvious way. They must be those of models/text/bpe_trainer.h, which is fast. Each story is one
// word, a row of ids; ids 0 to 255 are bytes_in_id_order() (models/text/bpe.h). Up to `count`
// times:
//     count all pairs of neighbours, overlaps included: "aaa" holds (a, a) twice
//     take the most frequent pair; among equals the smaller left id, then the smaller right id
//     stop if it does not occur twice; otherwise merge number i joins it to id 256 + i everywhere,
//     from left to right: "aaa" becomes (aa, a)
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

void check_same(const std::vector<std::string>& stories, int count) {
    CAPTURE(to_valid_utf8(join(stories, "|")));
    const std::vector<std::string_view> views(stories.begin(), stories.end());
    CHECK(slow_merges(views, count) == learn_merges(views, count, PreTokenizer::none));
}

}  // namespace

TEST_CASE("slow_merges: by hand") {
    const auto id_of = [](char byte) {
        int32_t id = 0;
        while (bytes_in_id_order()[size_t(id)] != uint8_t(byte)) {
            ++id;
        }
        return id;
    };
    const int32_t a = id_of('a'), b = id_of('b'), blank = id_of(' ');
    using Stories = std::vector<std::string_view>;
    using Merges = std::vector<Merge>;
    CHECK(slow_merges(Stories{"ab b", "xab"}, 9) == Merges{{a, b, 256}});
    CHECK(slow_merges(Stories{"aaaa"}, 1) == Merges{{a, a, 256}});
    CHECK(slow_merges(Stories{"a a a b"}, 2) == Merges{{a, blank, 256}, {256, 256, 257}});
    CHECK(slow_merges(Stories{"abab"}, 0).empty());
    CHECK(slow_merges(Stories{"a", "", "b"}, 5).empty());
    CHECK(slow_merges(Stories{}, 5).empty());
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
