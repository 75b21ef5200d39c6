// Words as GPT-2's pattern cuts them: cases derived by hand, and random texts against the pattern
// itself.
// Read next: bpe_trainer_test.cpp.
#include "models/text/pre_tokenizer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/rng.h"
#include "models/text/unicode_tables.h"

using namespace smoe;
using namespace std::string_literals;

namespace {

std::vector<std::string> words(const std::string& text, PreTokenizer pre = PreTokenizer::gpt2) {
    std::vector<std::string> found;
    for_each_word(text, pre, [&](std::string_view word) { found.emplace_back(word); });
    return found;
}

using Words = std::vector<std::string>;

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_number(char c) {
    return c >= '0' && c <= '9';
}
bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n';
}
bool is_other(char c) {
    return !is_letter(c) && !is_number(c) && !is_space(c);
}

// How much of `text` the pattern matches at its beginning, alternative by alternative as a regular
// expression engine tries them; ASCII only.
size_t matched(std::string_view text) {
    for (const std::string_view literal : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
        if (text.starts_with(literal)) {
            return literal.size();
        }
    }
    const auto longest = [&](size_t from, bool (*kind)(char)) {
        size_t end = from;
        while (end < text.size() && kind(text[end])) {
            ++end;
        }
        return end - from;
    };
    for (const auto kind : {is_letter, is_number, is_other}) {
        for (const size_t blank : {1, 0}) {  // " ?" takes the blank first
            if ((blank == 0 || text[0] == ' ') && longest(blank, kind) > 0) {
                return blank + longest(blank, kind);
            }
        }
    }
    for (size_t length = longest(0, is_space); length > 0; --length) {
        if (length == text.size() || is_space(text[length])) {  // (?!\S)
            return length;
        }
    }
    return longest(0, is_space);
}

}  // namespace

TEST_CASE("pre_tokenizer: letters, numbers and symbols, each with the blank before it") {
    CHECK(words("") == Words{});
    CHECK(words("a") == Words{"a"});
    CHECK(words("Hello world") == Words{"Hello", " world"});
    CHECK(words("abc123!?x") == Words{"abc", "123", "!?", "x"});
    CHECK(words(" a 1 . ") == Words{" a", " 1", " .", " "});
    CHECK(words("\0\0a"s) == Words{"\0\0"s, "a"});
    CHECK(words("a_b") == Words{"a", "_", "b"});
}

TEST_CASE("pre_tokenizer: contractions are lower case and come first") {
    CHECK(words("don't") == Words{"don", "'t"});
    CHECK(words("we're I've he'll I'm she'd it's") ==
          Words{"we", "'re", " I", "'ve", " he", "'ll", " I", "'m", " she", "'d", " it", "'s"});
    CHECK(words("DON'T") == Words{"DON", "'", "T"});
    CHECK(words("'tis") == Words{"'t", "is"});
    CHECK(words("'r") == Words{"'", "r"});
    CHECK(words("'le") == Words{"'", "le"});
    CHECK(words("'") == Words{"'"});
    CHECK(words("''s") == Words{"''", "s"});
    CHECK(words(" 's") == Words{" '", "s"});
    CHECK(words("x's1") == Words{"x", "'s", "1"});
}

TEST_CASE("pre_tokenizer: a run of white space leaves its last character to the next word") {
    CHECK(words("a  b") == Words{"a", " ", " b"});
    CHECK(words("a    b") == Words{"a", "   ", " b"});
    CHECK(words("a \n b") == Words{"a", " \n", " b"});
    CHECK(words("a\nb") == Words{"a", "\n", "b"});
    CHECK(words("a\n\nb") == Words{"a", "\n", "\n", "b"});
    CHECK(words("a  ") == Words{"a", "  "});
    CHECK(words("  ") == Words{"  "});
    CHECK(words(" ") == Words{" "});
    CHECK(words(" \n") == Words{" \n"});
    CHECK(words("\t!") == Words{"\t", "!"});
    CHECK(words("  's") == Words{" ", " '", "s"});
}

TEST_CASE("pre_tokenizer: Unicode") {
    CHECK(words("Über größe") == Words{"Über", " größe"});
    CHECK(words("中文 文字1") == Words{"中文", " 文字", "1"});
    CHECK(words("x²½٣४") == Words{"x", "²½٣४"});
    CHECK(words("e\u0301a") == Words{"e", "\u0301", "a"});  // a combining mark is a symbol
    CHECK(words("a\u00A0\u3000b") == Words{"a", "\u00A0", "\u3000", "b"});
    CHECK(words("a\u2003 b") == Words{"a", "\u2003", " b"});
    CHECK(words("a\u200Bb") == Words{"a", "\u200B", "b"});  // zero width space is a symbol
    CHECK(words(" \U0001F600\U0001F3FD!") == Words{" \U0001F600\U0001F3FD!"});
    CHECK(words("it\u2019s") == Words{"it", "\u2019", "s"});  // only the ASCII apostrophe counts
}

TEST_CASE("pre_tokenizer: bytes that are no UTF-8 are symbols") {
    CHECK(words("a\xFF\xFE"s + "b") == Words{"a", "\xFF\xFE", "b"});
    CHECK(words("a \xC3!"s) == Words{"a", " \xC3!"});
    CHECK(words("\xC3\xC3\xA9"s) == Words{"\xC3", "\xC3\xA9"});  // a bad byte, then a letter
    CHECK(words("a\xE4\xB8"s) == Words{"a", "\xE4\xB8"});        // cut off at the end
    CHECK(words("\xC1\xA1\xED\xA0\x80"s) == Words{"\xC1\xA1\xED\xA0\x80"});
    CHECK(words("\xF4\x90\x80\x80 "s) == Words{"\xF4\x90\x80\x80", " "});
}

TEST_CASE("pre_tokenizer: none takes everything as one word") {
    CHECK(words("a b\n\nc", PreTokenizer::none) == Words{"a b\n\nc"});
    CHECK(words("", PreTokenizer::none) == Words{});
}

TEST_CASE("pre_tokenizer: white space is the property White_Space") {
    std::vector<char32_t> spaces;
    for (char32_t code = 0; code < 0x110000; ++code) {
        if (char_class(code) == CharClass::space) {
            spaces.push_back(code);
        }
    }
    CHECK(spaces == std::vector<char32_t>{0x09,   0x0A,   0x0B,   0x0C,   0x0D,   0x20,   0x85,
                                          0xA0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004,
                                          0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200A, 0x2028,
                                          0x2029, 0x202F, 0x205F, 0x3000});
    CHECK(char_class(0x10FFFF) == CharClass::other);
    CHECK(char_class(0xFFFFFFFF) == CharClass::other);
    CHECK(char_class(0) == CharClass::other);
}

// Every symbol of a random text has an ASCII twin of its class, so that the pattern, matched step
// by step over the twins, says where the cuts must be.
TEST_CASE("pre_tokenizer: equals the pattern on random texts") {
    const std::vector<std::pair<char, std::string>> symbols = {
        {' ', " "},       {' ', " "},       {'\'', "'"},   {'s', "s"},          {'r', "r"},
        {'e', "e"},       {'l', "l"},       {'d', "d"},    {'T', "T"},          {'\n', "\n"},
        {'\t', "\u3000"}, {'\t', "\u0085"}, {'x', "ä"},    {'x', "中"},         {'x', "\U0001D4B3"},
        {'1', "7"},       {'1', "٣"},       {'1', "½"},    {'#', "\U0001F600"}, {'#', "\u0301"},
        {'#', "\xFF"},    {'#', "\x80"},    {'#', "\xF5"}, {'#', "\x1C"},       {'#', "-"}};
    Rng rng(1);
    for (int round = 0; round < 3000; ++round) {
        std::string twins, text;
        std::vector<size_t> ends;  // per twin: where its symbol ends in the text
        for (uint64_t i = rng.below(20); i > 0; --i) {
            const auto& [twin, symbol] = symbols[rng.below(symbols.size())];
            twins += twin;
            text += symbol;
            ends.push_back(text.size());
        }
        Words expected;
        size_t twin = 0, begin = 0;
        while (twin < twins.size()) {
            twin += matched(std::string_view(twins).substr(twin));
            expected.push_back(text.substr(begin, ends[twin - 1] - begin));
            begin = ends[twin - 1];
        }
        REQUIRE(begin == text.size());
        REQUIRE(words(text) == expected);
    }
}

TEST_CASE("pre_tokenizer: shares cover all texts, without empty ones") {
    CHECK(share_borders({}) == std::vector<size_t>{0});
    const std::string large(1 << 20, 'a');
    const std::vector<std::string_view> texts = {"a", large, "", "b", large, large};
    CHECK(share_borders(texts) == std::vector<size_t>{0, 2, 5, 6});
    CHECK(share_borders(std::span(texts).first(1)) == std::vector<size_t>{0, 1});
}
