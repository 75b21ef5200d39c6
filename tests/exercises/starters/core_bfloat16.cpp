// Exercise core_bfloat16: write the function, then run make exercise NAME=core_bfloat16 FILE=(this file).
// Read next: tests/exercises/core_bfloat16.cpp, which says what is wanted and ends with two hints.
#include <bit>
#include <cmath>
#include <cstdint>

#include "core/check.h"

uint16_t to_bfloat16(float x) {
    smoe::fail("core_bfloat16: to_bfloat16 is still to be written");
}
