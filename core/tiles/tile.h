// The innermost part of a matrix product: a tile of the result whose sums stay in registers while it
// goes along the depth. Everything around it, such as copying the operands into the order that it
// reads, is in packed_gemm.cpp. The only intrinsics of the project are in this folder.
// Read next: tile_body.h.
#pragma once

#include <cstdint>
#include <span>

#include "core/real.h"

namespace smoe {

// Numbers come to a tile in units: single reals, or pairs of bfloat16 that follow one another along
// the depth, the earlier in the lower half of 32 bits. `depth` below counts units.
template <class Unit>
struct Tile {
    // c (rows, cols) = or += (if `add`) sum over u < depth of a(row, u) b(u, col), where a(row, u) is
    // a[row * a_row + u * a_unit], b(u, col) is b[u * cols + col], and ldc is c's leading dimension.
    using Multiply = void(int64_t depth, const Unit* a, int64_t a_row, int64_t a_unit,
                          const Unit* b, bool add, real* c, int64_t ldc);

    int64_t rows, cols;  // at most most_tile_numbers together; cols is a multiple of 4
    bool along_depth;    // reads rows of a along the depth only: a_unit is 1
    int64_t step;  // cut at multiples of it, with `add`, a depth gives the same bits; 0: never
    Multiply* multiply;
    int64_t few_rows;  // of a tile for few rows, with the same bits; even, as rows is
    Multiply* multiply_few;
    int64_t narrow_cols;  // of a tile for fewer columns, with as many rows and the same bits
    Multiply* multiply_narrow;
    const char* name;  // of what multiplies, for people
    // Called by TileUse; null where there is nothing to do.
    void (*begin)() = nullptr;
    void (*end)() = nullptr;
};

// While this lives, its thread may call multiply() of a tile.
template <class Unit>
class TileUse {
  public:
    explicit TileUse(const Tile<Unit>& tile) : end_(tile.end) {
        if (tile.begin != nullptr) {
            tile.begin();
        }
    }
    ~TileUse() {
        if (end_ != nullptr) {
            end_();
        }
    }
    TileUse(const TileUse&) = delete;
    TileUse& operator=(const TileUse&) = delete;

  private:
    void (*end_)();
};

constexpr int64_t most_tile_numbers = 1024;

const Tile<real>& real_tile();
#ifndef SMOE_DOUBLE
// Those that this processor can run, the fastest last. The first widens each pair to two floats, or
// uses the instructions that the program is compiled for.
std::span<const Tile<uint32_t>* const> bfloat16_tiles();
const Tile<uint32_t>& bfloat16_tile();  // the fastest
#endif
// Whether the fastest has instructions for bfloat16, and whether it is AMX's. No in the double build.
bool has_bfloat16_instructions();
bool has_matrix_instructions();

}  // namespace smoe
