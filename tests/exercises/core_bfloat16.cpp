// Exercise: a float as a bfloat16, which is the upper half of its 32 bits. Cutting off the lower
// half is not enough: round to the nearest, on a tie to the one whose last bit is 0; too large
// becomes infinity, NaN stays NaN.
#include <bit>
#include <cstdint>
#include <limits>

#include "tests/exercises/exercise.h"

uint16_t to_bfloat16(float x);

namespace {

float from_bfloat16(uint16_t bits) {
    return std::bit_cast<float>(uint32_t(bits) << 16);
}

}  // namespace

TEST_CASE("to_bfloat16: every bfloat16 comes back as it was, and NaN as NaN") {
    int wrong = 0;
    for (uint32_t bits = 0; bits < 1 << 16; ++bits) {
        const float x = from_bfloat16(uint16_t(bits));
        wrong +=
            std::isnan(x) ? !std::isnan(from_bfloat16(to_bfloat16(x))) : to_bfloat16(x) != bits;
    }
    CHECK(wrong == 0);
    // NaNs whose upper half alone would be infinity.
    for (const uint32_t bits : {0x7F800001u, 0xFF80FFFFu, 0x7FFFFFFFu}) {
        CHECK(std::isnan(from_bfloat16(to_bfloat16(std::bit_cast<float>(bits)))));
    }
}

TEST_CASE("to_bfloat16: rounds to the nearest, ties to even") {
    const auto rounded = [](uint32_t bits) { return to_bfloat16(std::bit_cast<float>(bits)); };
    CHECK(rounded(0x3F800001) == 0x3F80);
    CHECK(rounded(0x3F807FFF) == 0x3F80);
    CHECK(rounded(0x3F808000) == 0x3F80);  // a tie, and 0x3F80 is even
    CHECK(rounded(0x3F808001) == 0x3F81);
    CHECK(rounded(0x3F818000) == 0x3F82);  // a tie, and 0x3F81 is odd
    CHECK(rounded(0xBF808001) == 0xBF81);
    CHECK(rounded(0x3FFFFFFF) == 0x4000);  // into the exponent
    CHECK(rounded(0x00000001) == 0x0000);
    CHECK(from_bfloat16(to_bfloat16(std::numeric_limits<float>::max())) ==
          std::numeric_limits<float>::infinity());
}
