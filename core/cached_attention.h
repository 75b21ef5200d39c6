// One query of one head over the positions that a text has so far, as generation needs it. Values are
// kept as they come, (positions, D). Keys are kept in blocks of as many positions as a register has
// lanes, in each number by number, (blocks, D, lanes): a register then holds one number of many
// keys, and no score needs a sum across a register.
// Read next: nn/attention.cpp, the caller; autograd/ops/attention.cpp, the same over sequences.
#pragma once

#include <cstdint>

#include "core/real.h"

namespace smoe {

// Positions in blocks, so many places.
int64_t in_blocks(int64_t positions);

// Writes a key (D) to its position among `keys`.
void put_key(const real* key, int64_t D, int64_t position, real* keys);

// y (D) = sum over p < seen of softmax(scale (q . key p))_p value p. `scores` has room for
// in_blocks(seen) numbers. seen >= 1.
void attend(const real* q, int64_t D, const real* keys, const real* values, int64_t seen,
            real scale, real* scores, real* y);

}  // namespace smoe
