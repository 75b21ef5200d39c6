// Is this text UTF-8, and if not, where does it stop being so? Follows the table of well-formed
// byte sequences of the Unicode standard (chapter 3, table 3-7): no overlong forms, no surrogates,
// nothing past U+10FFFF.
// It knows no letters, cases or widths. Bytes are never changed, only judged.
//
// Read next: safetensors.h, whose names must be UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

namespace smoe {

// Length of the longest prefix made of whole, valid characters: text.size() if all of it is,
// otherwise the offset of the first byte that belongs to no character.
size_t valid_utf8_prefix(std::string_view text);

inline bool valid_utf8(std::string_view text) {
    return valid_utf8_prefix(text) == text.size();
}

// Length of the longest prefix that does not end inside a character, for text that arrives piece by
// piece: print the prefix, keep the rest (at most 3 bytes) until more comes. Bytes that no
// continuation could make valid are not held back.
size_t complete_utf8_prefix(std::string_view text);

}  // namespace smoe
