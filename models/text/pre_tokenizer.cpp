// The pattern of pre_tokenizer.h as code. Its alternatives are in their order; ASCII is looked up
// in a table, all other characters in unicode_tables.h.
// Read next: tests/models/text/pre_tokenizer_test.cpp, where the pattern itself decides.
#include "models/text/pre_tokenizer.h"

#include <array>
#include <cstdint>

#include "core/utf8.h"
#include "models/text/unicode_tables.h"

namespace smoe {
namespace {

constexpr std::array<CharClass, 128> ascii_classes() {
    std::array<CharClass, 128> classes = {};
    for (int c = 0; c < 128; ++c) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool number = c >= '0' && c <= '9';
        const bool space = c == ' ' || (c >= '\t' && c <= '\r');
        classes[size_t(c)] = letter   ? CharClass::letter
                             : number ? CharClass::number
                             : space  ? CharClass::space
                                      : CharClass::other;
    }
    return classes;
}

constexpr std::array<CharClass, 128> ascii = ascii_classes();

struct Character {
    CharClass kind;
    size_t length;  // bytes
};

// The character at `text[at]`, whose lead byte is not ASCII.
Character wide_character(std::string_view text, size_t at) {
    const uint8_t lead = uint8_t(text[at]);
    const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const std::string_view bytes = text.substr(at, length);
    if (bytes.size() < length || !valid_utf8(bytes)) {
        return {CharClass::other, 1};
    }
    char32_t code = lead & (0x7F >> length);
    for (size_t i = 1; i < length; ++i) {
        code = code << 6 | (uint8_t(bytes[i]) & 0x3F);
    }
    return {char_class(code), length};
}

Character character_at(std::string_view text, size_t at) {
    const uint8_t byte = uint8_t(text[at]);
    return byte < 128 ? Character{ascii[byte], 1} : wide_character(text, at);
}

// The end of the longest run of characters of `kind` from `at` on.
size_t run_end(std::string_view text, size_t at, CharClass kind) {
    while (at < text.size()) {
        const Character character = character_at(text, at);
        if (character.kind != kind) {
            break;
        }
        at += character.length;
    }
    return at;
}

// The length of 's 't 're 've 'm 'll 'd at the beginning of `text`, or 0.
size_t contraction_length(std::string_view text) {
    const char first = text.size() > 1 ? text[1] : '\0';
    const char second = text.size() > 2 ? text[2] : '\0';
    if (first == 's' || first == 't' || first == 'm' || first == 'd') {
        return 2;
    }
    const bool two =
        (second == 'e' && (first == 'r' || first == 'v')) || (second == 'l' && first == 'l');
    return two ? 3 : 0;
}

// \s+(?!\S)|\s+ : a run of white space leaves its last character to the word behind it, unless the
// text ends there.
size_t space_end(std::string_view text, size_t begin) {
    size_t at = begin, last = begin;
    while (at < text.size()) {
        const Character character = character_at(text, at);
        if (character.kind != CharClass::space) {
            return last > begin ? last : at;
        }
        last = at;
        at += character.length;
    }
    return at;
}

}  // namespace

const EnumNames<PreTokenizer>& enum_names(PreTokenizer) {
    static const EnumNames<PreTokenizer> names = {{PreTokenizer::gpt2, "gpt2"},
                                                  {PreTokenizer::none, "none"}};
    return names;
}

size_t word_end(std::string_view text, size_t begin, PreTokenizer pre) {
    if (pre == PreTokenizer::none) {
        return text.size();
    }
    if (text[begin] == '\'') {
        if (const size_t length = contraction_length(text.substr(begin)); length > 0) {
            return begin + length;
        }
    }
    const bool blank = text[begin] == ' ' && begin + 1 < text.size();
    const size_t at = blank ? begin + 1 : begin;
    const CharClass kind = character_at(text, at).kind;
    return kind == CharClass::space ? space_end(text, begin) : run_end(text, at, kind);
}

std::vector<size_t> share_borders(std::span<const std::string_view> texts) {
    constexpr size_t share_bytes = size_t(1) << 20;
    std::vector<size_t> borders = {0};
    size_t bytes = 0;
    for (size_t i = 0; i < texts.size(); ++i) {
        bytes += texts[i].size();
        if (bytes >= share_bytes || i + 1 == texts.size()) {
            borders.push_back(i + 1);
            bytes = 0;
        }
    }
    return borders;
}

}  // namespace smoe
