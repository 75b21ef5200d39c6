// The innermost part of a matrix product: a tile of the result whose sums stay in registers while it
// goes along the depth. Everything around it, such as copying the operands into the order that it
// reads, is in packed_gemm.cpp. The only intrinsics of the project are in this folder.
// Read next: tile_body.h.
#pragma once

#include <cstdint>

#include "core/real.h"

namespace smoe {

constexpr int64_t tile_rows = 6;

// Numbers come to a tile in units: single reals, or pairs of bfloat16 that follow one another along
// the depth, the earlier in the lower half of 32 bits. `depth` below counts units.
template <class Unit>
struct Tile {
    int64_t cols;  // a multiple of 4
    // c (tile_rows, cols) = or += (if `add`) sum over u < depth of a(row, u) b(u, col), where a(row, u) is
    // a[row * a_row + u * a_unit], b(u, col) is b[u * cols + col], and ldc is c's leading dimension.
    void (*multiply)(int64_t depth, const Unit* a, int64_t a_row, int64_t a_unit, const Unit* b,
                     bool add, real* c, int64_t ldc);
    const char* name;  // of its arithmetic, for people
};

const Tile<real>& real_tile();
#ifndef SMOE_DOUBLE
// That of the processor's instructions for bfloat16 if it has some, else one that widens each pair to
// two floats. Chosen once.
const Tile<uint32_t>& bfloat16_tile();
bool has_bfloat16_instructions();
#endif

}  // namespace smoe
