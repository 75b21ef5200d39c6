// The tiles of the processor that the program is compiled for, and the choice among those that it
// may find.
// Read next: core/packed_gemm.cpp.
#include <vector>

#include "core/tiles/tile_body.h"

namespace smoe {

const Tile<real>& real_tile() {
    static constexpr Tile<real> tile = make_tile<real, Reals>("real");
    return tile;
}

#ifndef SMOE_DOUBLE

// In files of their own; null where they were not compiled. Whether the processor has AMX is asked
// there, and whether it has AVX512-BF16 here: that file may hold no instruction that runs before.
const Tile<uint32_t>* avx512_bf16_tile();
const Tile<uint32_t>* amx_tile();

namespace {

#if defined(__AVX512BF16__) || defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
constexpr bool compiled_for_bfloat16 = true;
#else
constexpr bool compiled_for_bfloat16 = false;
#endif

const Tile<uint32_t>* found_avx512_bf16_tile() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl")) {
        return avx512_bf16_tile();
    }
#endif
    return nullptr;
}

}  // namespace

std::span<const Tile<uint32_t>* const> bfloat16_tiles() {
    static constexpr Tile<uint32_t> own = make_tile<uint32_t, Pairs>(
        compiled_for_bfloat16 ? "vector instructions" : "widening to float32");
    static const std::vector<const Tile<uint32_t>*> tiles = [] {
        std::vector<const Tile<uint32_t>*> usable = {&own};
        for (const Tile<uint32_t>* const other :
             {compiled_for_bfloat16 ? nullptr : found_avx512_bf16_tile(), amx_tile()}) {
            if (other != nullptr) {
                usable.push_back(other);
            }
        }
        return usable;
    }();
    return tiles;
}

const Tile<uint32_t>& bfloat16_tile() {
    static const Tile<uint32_t>& fastest = *bfloat16_tiles().back();
    return fastest;
}

bool has_bfloat16_instructions() {
    return compiled_for_bfloat16 || bfloat16_tiles().size() > 1;
}

bool has_matrix_instructions() {
    return &bfloat16_tile() == amx_tile();
}

#else

bool has_bfloat16_instructions() {
    return false;
}

bool has_matrix_instructions() {
    return false;
}

#endif

}  // namespace smoe
