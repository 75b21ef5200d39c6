// Tiles as wide as the registers of whoever includes this. Each file that does is compiled for one
// kind of processor, so everything here is in an unnamed namespace, and no function of a library is
// called: the linker may keep just one of several copies, and that one may need the other processor.
// Read next: tile.cpp.
#pragma once

#include "core/tiles/tile.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>
#elif defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
#include <arm_neon.h>
#endif

namespace smoe {
namespace {

constexpr int64_t tile_rows = 6, few_rows = 2;

// With 6 rows, sums of 4 registers of columns fill 24 of 32 registers; of 2, 12 of 16.
#if defined(__AVX512F__)
constexpr int tile_bytes = 64, tile_vectors = 4;
#elif defined(__AVX__)
constexpr int tile_bytes = 32, tile_vectors = 2;
#elif defined(__aarch64__)
constexpr int tile_bytes = 16, tile_vectors = 4;
#else
constexpr int tile_bytes = 16, tile_vectors = 2;
#endif

typedef real Reals __attribute__((vector_size(tile_bytes)));
typedef uint32_t Pairs __attribute__((vector_size(tile_bytes)));

template <class Number, class From>
inline Number load_from(const From* from) {
    Number number;
    __builtin_memcpy(&number, from, sizeof number);
    return number;
}

// sum + a b
inline Reals multiply_add(Reals sum, Reals a, Reals b) {
    return sum + a * b;
}

inline Reals splat(real number) {
    return number - Reals{};
}

#ifndef SMOE_DOUBLE

inline Pairs splat(uint32_t pair) {
    return pair - Pairs{};
}

// sum + a's lower b's lower + a's upper b's upper, in each lane of 32 bits
inline Reals multiply_add(Reals sum, Pairs a, Pairs b) {
#if defined(__AVX512BF16__)
    return (Reals)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#elif defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
    return (Reals)vbfdotq_f32((float32x4_t)sum, (bfloat16x8_t)a, (bfloat16x8_t)b);
#else
    // A bfloat16 is the upper half of a float.
    constexpr uint32_t upper = 0xffff0000u;
    sum += (Reals)(a << 16) * (Reals)(b << 16);
    return sum + (Reals)(a & upper) * (Reals)(b & upper);
#endif
}

#endif

template <class Unit, class Units, int64_t rows, int vectors>
void multiply_tile(int64_t depth, const Unit* a, int64_t a_row, int64_t a_unit, const Unit* b,
                   bool add, real* c, int64_t ldc) {
    constexpr int lanes = tile_bytes / int(sizeof(Unit));
    Reals sums[rows][vectors] = {};
    for (int64_t u = 0; u < depth; ++u) {
        Units from_b[vectors];
        for (int v = 0; v < vectors; ++v) {
            from_b[v] = load_from<Units>(b + v * lanes);
        }
        b += vectors * lanes;
        for (int r = 0; r < rows; ++r) {
            const Units from_a = splat(a[r * a_row]);
            for (int v = 0; v < vectors; ++v) {
                sums[r][v] = multiply_add(sums[r][v], from_a, from_b[v]);
            }
        }
        a += a_unit;
    }
    for (int r = 0; r < rows; ++r) {
        for (int v = 0; v < vectors; ++v) {
            real* const to = c + r * ldc + v * lanes;
            const Reals sum = add ? load_from<Reals>(to) + sums[r][v] : sums[r][v];
            __builtin_memcpy(to, &sum, sizeof sum);
        }
    }
}

template <class Unit, class Units>
constexpr Tile<Unit> make_tile(const char* name) {
    return {.rows = tile_rows,
            .cols = tile_vectors * tile_bytes / int64_t(sizeof(Unit)),
            .along_depth = false,
            .step = 0,
            .multiply = multiply_tile<Unit, Units, tile_rows, tile_vectors>,
            .few_rows = few_rows,
            .multiply_few = multiply_tile<Unit, Units, few_rows, tile_vectors>,
            .narrow_cols = tile_vectors / 2 * tile_bytes / int64_t(sizeof(Unit)),
            .multiply_narrow = multiply_tile<Unit, Units, tile_rows, tile_vectors / 2>,
            .name = name};
}

}  // namespace
}  // namespace smoe
