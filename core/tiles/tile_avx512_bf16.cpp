// The tile for x86-64 with AVX512-BF16, in programs that are compiled for processors without it:
// this file alone is compiled for those with it, and tile.cpp asks the processor before it is used.
// Read next: tile_amx.cpp.
#ifndef SMOE_DOUBLE
#if defined(__AVX512BF16__)
#include "core/tiles/tile_body.h"
#else
#include "core/tiles/tile.h"
#endif

namespace smoe {

const Tile<uint32_t>* avx512_bf16_tile();

const Tile<uint32_t>* avx512_bf16_tile() {
#if defined(__AVX512BF16__)
    static constexpr Tile<uint32_t> tile =
        make_tile<uint32_t, Pairs>("AVX512-BF16, chosen at run time");
    return &tile;
#else
    return nullptr;
#endif
}

}  // namespace smoe
#endif
