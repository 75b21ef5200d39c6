// One solution of the exercise core_bfloat16.cpp; write your own first.
// Read next: tests/exercises/core_bfloat16.cpp, its test.
#include <bit>
#include <cmath>
#include <cstdint>

uint16_t to_bfloat16(float x) {
    const uint32_t bits = std::bit_cast<uint32_t>(x);
    if (std::isnan(x)) {
        return uint16_t(bits >> 16 | 0x40);  // a bit of the payload that stays
    }
    // Adding just under half of the last place carries, unless it was below half; what is missing
    // to half is added where the last place is odd.
    return uint16_t((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
