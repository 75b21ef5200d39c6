// What kind of symbol a Unicode code point is, as far as cutting text into words needs it. Case,
// normal forms and names are left out.
//
// Read next: pre_tokenizer.h.
#pragma once

#include <cstdint>

namespace smoe {

// letter = general category L, number = general category N, space = property White_Space, other =
// the rest: punctuation, symbols, combining marks, controls, unassigned. Unicode 16.0.
enum class CharClass : uint8_t { other, letter, number, space };

// Any number is allowed; everything beyond U+10FFFF is `other`. It takes a binary search.
CharClass char_class(char32_t code);

}  // namespace smoe
