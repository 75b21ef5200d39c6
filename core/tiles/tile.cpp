// The tiles of the processor that the program is compiled for, and the choice among those that it
// may find.
// Read next: core/packed_gemm.cpp.
#include "core/tiles/tile_body.h"

namespace smoe {

const Tile<real>& real_tile() {
    static constexpr Tile<real> tile = make_tile<real, Reals>("real");
    return tile;
}

#ifndef SMOE_DOUBLE

// In tile_avx512_bf16.cpp; null where it was not compiled for that.
const Tile<uint32_t>* avx512_bf16_tile();

namespace {

#if defined(__AVX512BF16__) || defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
constexpr bool compiled_for_bfloat16 = true;
#else
constexpr bool compiled_for_bfloat16 = false;
#endif

bool processor_has_avx512_bf16() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl");
#else
    return false;
#endif
}

const Tile<uint32_t>& chosen_tile() {
    static constexpr Tile<uint32_t> own = make_tile<uint32_t, Pairs>(
        compiled_for_bfloat16 ? "bfloat16 instructions" : "bfloat16 widened to float32");
    const Tile<uint32_t>* const other = avx512_bf16_tile();
    return !compiled_for_bfloat16 && other != nullptr && processor_has_avx512_bf16() ? *other : own;
}

}  // namespace

const Tile<uint32_t>& bfloat16_tile() {
    static const Tile<uint32_t>& tile = chosen_tile();
    return tile;
}

bool has_bfloat16_instructions() {
    return compiled_for_bfloat16 || &bfloat16_tile() == avx512_bf16_tile();
}

#endif

}  // namespace smoe
