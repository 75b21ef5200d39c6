// Cuts in long words: by hand, and against a search for entries across each place. No entry may lie
// across a cut, and most other places must be cut.
// Read next: tokenizer_test.cpp.
#include "models/text/crossings.h"

#include <doctest/doctest.h>

#include "core/rng.h"

using namespace smoe;
using namespace std::string_literals;

namespace {

using Strings = std::vector<std::string>;

Strings pieces(const Strings& entries, const std::string& word) {
    const Crossings crossings(entries);
    Strings found;
    for (size_t begin = 0; begin < word.size();) {
        const size_t end = crossings.piece_end(word, begin);
        found.push_back(word.substr(begin, end - begin));
        begin = end;
    }
    return found;
}

bool entry_lies_across(const Strings& entries, const std::string& word, size_t place) {
    for (const std::string& entry : entries) {
        for (size_t at = 0; at + entry.size() <= word.size(); ++at) {
            if (at < place && place < at + entry.size() && word.substr(at, entry.size()) == entry) {
                return true;
            }
        }
    }
    return false;
}

}  // namespace

TEST_CASE("crossings: a word is cut where no entry lies across") {
    CHECK(pieces({"ab"}, "xxxabxxx") == Strings{"xxx", "ab", "xxx"});
    CHECK(pieces({"ab", "bc"}, "xxxabcabxxx") == Strings{"xxx", "abc", "ab", "xxx"});
    CHECK(pieces({"abcdefgh"}, "xxxabcdefghxxx") == Strings{"xxx", "abcdefgh", "xxx"});
    CHECK(pieces({"abcd"}, "xxxabcxxx") == Strings{"xxx", "a", "b", "c", "xxx"});
    CHECK(pieces({"\0\0"s}, "xxx\0\0\0xxx"s) == Strings{"xxx", "\0\0\0"s, "xxx"});
}

TEST_CASE("crossings: near the ends of a word nothing is cut") {
    CHECK(pieces({"ab"}, "") == Strings{});
    CHECK(pieces({"ab"}, "x") == Strings{"x"});
    CHECK(pieces({"ab"}, "xxxxx") == Strings{"xxxxx"});
    CHECK(pieces({"ab"}, "xxxxxx") == Strings{"xxx", "xxx"});
}

TEST_CASE("crossings: no entry lies across a cut, and most other places are cut") {
    Rng rng(8);
    const auto random_text = [&](uint64_t length) {
        std::string text;
        while (text.size() < length) {
            text += "abcdefgh"[rng.below(8)];
        }
        return text;
    };
    int cuts = 0, free_places = 0;
    for (int round = 0; round < 40; ++round) {
        Strings entries(1 + rng.below(30));
        for (std::string& entry : entries) {
            entry = random_text(1 + rng.below(9));
        }
        std::string word = random_text(20);
        for (int i = 0; i < 20; ++i) {
            word += entries[rng.below(entries.size())] + random_text(rng.below(4));
        }
        size_t place = 0;
        for (const std::string& piece : pieces(entries, word)) {
            place += piece.size();
            ++cuts;
            REQUIRE_FALSE(entry_lies_across(entries, word, place));
        }
        REQUIRE(place == word.size());
        for (place = 1; place <= word.size(); ++place) {
            free_places += entry_lies_across(entries, word, place) ? 0 : 1;
        }
    }
    CHECK(cuts > 0.7 * free_places);
    CHECK(cuts > 1000);
}
