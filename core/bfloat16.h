// A bfloat16 is the upper half of a float32: the same range, 8 binary digits in place of 24.
// Read next: precision.h.
#pragma once

#include <bit>
#include <cstdint>

namespace smoe {

// The nearest bfloat16, ties to even, in the upper half of the result; its lower half is to be
// ignored. A NaN becomes a quiet one, since rounding its bits could make an infinity of it.
inline uint32_t rounded_to_bfloat16(float number) {
    const auto bits = std::bit_cast<uint32_t>(number);
    const uint32_t nearest = bits + 0x7fffu + (bits >> 16 & 1u);
    return (bits & 0x7fffffffu) > 0x7f800000u ? bits | 0x00400000u : nearest;
}

// Two of them in 32 bits, `first` in the lower half.
inline uint32_t bfloat16_pair(float first, float second) {
    return rounded_to_bfloat16(first) >> 16 | (rounded_to_bfloat16(second) & 0xffff0000u);
}

// The value of the nearest bfloat16.
inline float nearest_bfloat16(float number) {
    return std::bit_cast<float>(rounded_to_bfloat16(number) & 0xffff0000u);
}

}  // namespace smoe
