// UTF-8, one character at a time: its first byte gives the length and narrows the second byte.
// Nothing is decoded: the bytes themselves show whether they are well formed.
// Read next: tests/core/utf8_test.cpp, which encodes every code point.
#include "core/utf8.h"

#include <algorithm>
#include <cstdint>

namespace smoe {
namespace {

enum class Found { whole, unfinished, invalid };

struct Character {
    Found found;
    size_t length;  // bytes seen of it
};

// The character that `text` begins with; text is not empty.
Character first_character(std::string_view text) {
    const auto byte = [&](size_t i) { return uint8_t(text[i]); };
    const uint8_t lead = byte(0);
    if (lead < 0x80) {
        return {Found::whole, 1};
    }
    if (lead < 0xC2 || lead > 0xF4) {  // a continuation, an overlong form, or past U+10FFFF
        return {Found::invalid, 1};
    }
    const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    // Four leads narrow the second byte: overlong forms, surrogates, past U+10FFFF.
    const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    for (size_t i = 1; i < std::min(length, text.size()); ++i) {
        if (byte(i) < (i == 1 ? low : 0x80) || byte(i) > (i == 1 ? high : 0xBF)) {
            return {Found::invalid, i};
        }
    }
    return text.size() < length ? Character{Found::unfinished, text.size()}
                                : Character{Found::whole, length};
}

}  // namespace

size_t valid_utf8_prefix(std::string_view text) {
    size_t position = 0;
    while (position < text.size()) {
        const Character character = first_character(text.substr(position));
        if (character.found != Found::whole) {
            break;
        }
        position += character.length;
    }
    return position;
}

size_t complete_utf8_prefix(std::string_view text) {
    const size_t longest_rest = std::min<size_t>(3, text.size());
    for (size_t rest = 1; rest <= longest_rest; ++rest) {
        if (first_character(text.substr(text.size() - rest)).found == Found::unfinished) {
            return text.size() - rest;
        }
    }
    return text.size();
}

}  // namespace smoe
