// Exercise: a float as a bfloat16, which is the upper half of its 32 bits. Cutting off the lower
// half is not enough: round to the nearest, on a tie to the one whose last bit is 0; too large
// becomes infinity, NaN stays NaN.
// Level 2 of 3, about 30 minutes. Two hints are at the end.
#include <bit>
#include <cstdint>

#include "tests/exercises/exercise.h"

uint16_t to_bfloat16(float x);

using namespace smoe;

namespace {

float from_bfloat16(uint16_t bits) {
    return std::bit_cast<float>(uint32_t(bits) << 16);
}

// Whether the float with these bits becomes `expected`.
void expect_bits(uint32_t bits, uint16_t expected) {
    const float x = std::bit_cast<float>(bits);
    const uint16_t found = to_bfloat16(x);
    CHECK_MESSAGE(found == expected, fmt::format("to_bfloat16 of 0x{:08X} ({:.9g}) should be "
                                                 "0x{:04X}, found 0x{:04X}",
                                                 bits, x, expected, found));
}

}  // namespace

TEST_CASE("to_bfloat16: every bfloat16 comes back as it was, and NaN as NaN") {
    std::vector<uint32_t> not_numbers = {0x7F800001u, 0xFF80FFFFu, 0x7FFFFFFFu};  // their upper
    for (uint32_t bits = 0; bits < 1 << 16; ++bits) {  // halves alone would be infinity
        if (std::isnan(from_bfloat16(uint16_t(bits)))) {
            not_numbers.push_back(bits << 16);
        } else {
            expect_bits(bits << 16, uint16_t(bits));
        }
    }
    for (const uint32_t bits : not_numbers) {
        const uint16_t found = to_bfloat16(std::bit_cast<float>(bits));
        CHECK_MESSAGE(std::isnan(from_bfloat16(found)),
                      fmt::format("to_bfloat16 of the NaN 0x{:08X} should be a NaN, found 0x{:04X}",
                                  bits, found));
    }
}

TEST_CASE("to_bfloat16: rounds to the nearest, ties to even") {
    expect_bits(0x3F800001, 0x3F80);
    expect_bits(0x3F807FFF, 0x3F80);
    expect_bits(0x3F808000, 0x3F80);  // a tie, and 0x3F80 is even
    expect_bits(0x3F808001, 0x3F81);
    expect_bits(0x3F818000, 0x3F82);  // a tie, and 0x3F81 is odd
    expect_bits(0xBF808001, 0xBF81);
    expect_bits(0x3FFFFFFF, 0x4000);  // into the exponent
    expect_bits(0x00000001, 0x0000);
    expect_bits(0x7F7FFFFF, 0x7F80);  // the largest float becomes infinity
}

// Hint 1: std::bit_cast<uint32_t>(x) gives the bits. If you add something to them before you cut
// off the lower half, the carry does the rounding, even into the exponent. What must be added so
// that just more than a half carries?
// Hint 2: 0x7FFF carries what is above a half; one more carries a half itself, so add the last bit
// that stays. A NaN must not go that way: set a bit of its upper half instead.
