// The random numbers of dropout, for every op that drops. Backward draws the same numbers again, so
// that nothing need be kept. The seed is an argument; there is no generator here.
// Read next: dropout.cpp.
#pragma once

#include <cstdint>

#include "core/real.h"

namespace smoe {

// Throws Error, naming `op`, unless p is in [0, 1).
void check_dropout(const char* op, double p);

// The factors for elements begin .. begin + count - 1: 0 with probability p, else 1 / (1 - p).
// Element i's factor is a function of (seed, i): 16 bits of Philox block i / 8 of the stream (seed,
// 0) decide, so p is rounded to a multiple of 2^-16.
void dropout_factors(double p, uint64_t seed, int64_t begin, int64_t count, real* factors);

}  // namespace smoe
