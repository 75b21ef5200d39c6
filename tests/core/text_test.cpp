// Lists, nearest names and text for a terminal, on examples and against slow, obvious versions.
// Edits are also counted by their recursive definition.
// Read next: utf8_test.cpp.
#include "core/text.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/rng.h"
#include "core/utf8.h"

namespace smoe {
namespace {

// The definition, by trying all three edits at each place.
size_t edits(std::string_view a, std::string_view b) {
    if (a.empty() || b.empty()) {
        return a.size() + b.size();
    }
    return std::min({edits(a.substr(1), b) + 1, edits(a, b.substr(1)) + 1,
                     edits(a.substr(1), b.substr(1)) + (a[0] != b[0])});
}

std::string random_word(Rng& rng, uint64_t longest) {
    std::string word;
    for (uint64_t i = rng.below(longest + 1); i > 0; --i) {
        word += char('a' + rng.below(3));
    }
    return word;
}

}  // namespace

TEST_CASE("text: join") {
    CHECK(join({}, ", ") == "");
    CHECK(join({"a"}, ", ") == "a");
    CHECK(join({"a", "b", "c"}, ", ") == "a, b, c");
    CHECK(join({"a", "b"}, "") == "ab");
}

TEST_CASE("text: nearest name, on examples") {
    CHECK(nearest_name("widht", {"width", "heads", "layers"}) == "width");
    CHECK(nearest_name("--step", {"--seed", "--steps", "--stop"}) == "--steps");
    CHECK(nearest_name("width", {"width"}) == "width");
    CHECK(nearest_name("xyz", {"width", "heads"}) == "");
    CHECK(nearest_name("ab", {"cd", "ef"}) == "cd");  // two edits are still near
    CHECK(nearest_name("abc", {"xyz"}) == "");        // three are not,
    CHECK(nearest_name("checkpointevry", {"checkpoint_every"}) == "checkpoint_every");
    CHECK(nearest_name("abcdefxyz", {"abcdef"}) == "abcdef");  // but for a third of a long name
    CHECK(nearest_name("bat", {"cat", "rat"}) == "cat");
    CHECK(nearest_name("", {"experts"}) == "");
    CHECK(nearest_name("anything", {}) == "");
}

TEST_CASE("text: nearest name counts edits as the definition does") {
    Rng rng(3, 0);
    for (int round = 0; round < 200; ++round) {
        const std::string name = random_word(rng, 6);
        std::vector<std::string> candidates;
        std::string expected;
        size_t best = std::max<size_t>(2, name.size() / 3) + 1;
        for (int i = 0; i < 3; ++i) {
            candidates.push_back(random_word(rng, 6));
            if (const size_t distance = edits(name, candidates.back()); distance < best) {
                best = distance;
                expected = candidates.back();
            }
        }
        CAPTURE(name);
        CHECK(nearest_name(name, candidates) == expected);
    }
}

TEST_CASE("text: bytes that are no UTF-8 are replaced one by one") {
    const std::string mark = "\xEF\xBF\xBD";
    CHECK(to_valid_utf8("") == "");
    CHECK(to_valid_utf8("caf\xC3\xA9") == "caf\xC3\xA9");
    CHECK(to_valid_utf8("a\xFF\xFE"
                        "b") == "a" + mark + mark + "b");
    CHECK(to_valid_utf8("\xE2\x82") == mark + mark);
    CHECK(to_valid_utf8(std::string("a\0b", 3)) == std::string("a\0b", 3));
    Rng rng(4, 0);
    for (int round = 0; round < 200; ++round) {
        std::string bytes;
        for (uint64_t i = rng.below(12); i > 0; --i) {
            bytes += char(rng.below(256));
        }
        const std::string valid = to_valid_utf8(bytes);
        CHECK(valid_utf8(valid));
        CHECK(to_valid_utf8(valid) == valid);
        CHECK((valid == bytes) == valid_utf8(bytes));
    }
}

TEST_CASE("text: one line stays one") {
    CHECK(to_one_line("a\nb\r\t\x1b[31m\x7f") == "a b   [31m ");
    CHECK(to_one_line("\xC3\xA4 \xFF") == "\xC3\xA4 \uFFFD");
    CHECK(to_one_line("a\u0085b\u009B31m\u00A0") == "a b 31m\u00A0");  // next line, and escape
    CHECK(without_controls("a\n\tb\r\x1b[2J") == "a\n\tb  [2J");
}

TEST_CASE("text: what nobody sees is shown to be there") {
    const std::string mark = "\uFFFD";
    // "evil<U+202E>txt.exe" would be read as "evilexe.txt".
    CHECK(to_one_line("evil\u202Etxt.exe") == "evil" + mark + "txt.exe");
    for (const char* const direction :
         {"\u061C", "\u200E", "\u200F", "\u202A", "\u202B", "\u202C", "\u202D", "\u202E", "\u2066",
          "\u2067", "\u2068", "\u2069"}) {
        CHECK(without_controls(direction) == mark);
    }
    for (const char* const unseen :
         {"\u00AD", "\u034F", "\u115F", "\u17B4", "\u180E", "\u200B", "\u2028", "\u2029", "\u2060",
          "\u3164", "\uFE01", "\uFEFF", "\uFFA0", "\uFFF9", "\U0001BCA0", "\U0001D173",
          "\U000E0041", "\U000E0FFF"}) {
        CHECK(without_controls(std::string("a") + unseen + "b") == "a" + mark + "b");
    }
    // Neighbours of those in the table, and what needs joining, stay as they are.
    for (const char* const seen :
         {"\u00AC", "\u00AE", "\u0627", "\u200A", "\u2010", "\u2027", "\u202F", "\u205F", "\u2070",
          "\uFE10", "\uFFFC", "\U0001BCA4", "\U0001D17B", "\U000E1000", "\U0001F600"}) {
        CHECK(to_one_line(seen) == seen);
    }
    const std::string family = "\U0001F468\u200D\U0001F469", heart = "\u2764\uFE0F";
    CHECK(without_controls(family + heart) == family + heart);
    CHECK(without_controls(family, joiners) == family);
    CHECK(to_one_line(heart) == "\u2764" + mark);  // in a name they could hide a second file
}

TEST_CASE("escaped: one line without markup") {
    CHECK(escaped("<b>&\"quoted\"</b>\n'plain'") ==
          "&lt;b&gt;&amp;&quot;quoted&quot;&lt;/b&gt; 'plain'");
    CHECK(escaped("\x01\xFF") == " \uFFFD");  // XML forbids the first, and UTF-8 the second
}

}  // namespace smoe
