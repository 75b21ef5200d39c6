// In which precision large products multiply. Tensors, weights, sums and everything that is not a
// product are float32 in any case (double in the double build, where this changes nothing).
// Read next: packed_gemm.h, where factors are rounded.
#pragma once

#include <string>

#include "core/enum_names.h"
#include "core/real.h"

namespace smoe {

// What the factors of a product are rounded to. A bfloat16 has the range of a float32 and 8 bits in
// place of 24.
enum class Precision { float32, bfloat16 };
const EnumNames<Precision>& enum_names(Precision);

// Whether numbers are rounded to bfloat16. The double build is there to check gradients, and rounds
// none.
constexpr bool rounds_to_bfloat16(Precision precision) {
    return precision == Precision::bfloat16 && sizeof(real) == sizeof(float);
}

// bfloat16 where the processor has instructions that multiply it, up to four times as fast; else
// float32, since without them bfloat16 is slower.
Precision fastest_precision();

// How long a product takes here in bfloat16, in units of its time in float32: times a few of each,
// which takes some milliseconds.
double bfloat16_time();

// One line that says what products are computed in, and what the other precision would cost or gain,
// for the start of a run.
std::string precision_note(Precision precision);

}  // namespace smoe
