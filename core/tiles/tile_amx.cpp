// The tile for x86-64 with Intel's AMX, whose registers are matrices of 16 rows of 64 bytes: one
// instruction multiplies 16 rows by 16 columns along 16 pairs, 16 times what a float32 instruction
// does. Four of them hold the sums of 32 rows and 32 columns, and two each the factors.
// The processor is asked at run time, and so is the system, which must save these registers.
// Read next: core/packed_gemm.cpp.
#ifndef SMOE_DOUBLE
#include "core/tiles/tile.h"

#if defined(__AMX_BF16__) && defined(__linux__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace smoe {

const Tile<uint32_t>* amx_tile();

#if defined(__AMX_BF16__) && defined(__linux__)
namespace {

constexpr int64_t side = 16;  // rows of a register, and numbers of 32 bits in a row
constexpr int64_t rows = 2 * side, cols = 2 * side;

// What LDTILECFG reads (Intel's Software Developer's Manual): all eight registers whole.
struct alignas(64) TileConfiguration {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr TileConfiguration whole;  // constant, since g++ takes just 8 bytes of it as an input

void begin() {
    _tile_loadconfig(&whole);
}

void end() {
    _tile_release();
}

// Sums in 0 to 3 += the products along `side` units, or, for half of the rows, those in 0 and 1.
template <bool half>
inline void multiply_step(const uint32_t* a, int64_t a_row, const uint32_t* b) {
    _tile_loadd(4, a, 4 * a_row);
    _tile_loadd(6, b, 4 * cols);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, b + side, 4 * cols);
    _tile_dpbf16ps(1, 4, 7);
    if constexpr (!half) {
        _tile_loadd(5, a + side * a_row, 4 * a_row);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
}

template <bool half>
void multiply(int64_t depth, const uint32_t* a, int64_t a_row, int64_t, const uint32_t* b, bool add,
              real* c, int64_t ldc) {
    real* const lower = c + side * ldc;
    if (add) {
        _tile_loadd(0, c, 4 * ldc);
        _tile_loadd(1, c + side, 4 * ldc);
        if constexpr (!half) {
            _tile_loadd(2, lower, 4 * ldc);
            _tile_loadd(3, lower + side, 4 * ldc);
        }
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    int64_t u = 0;
    for (; u + side <= depth; u += side) {
        multiply_step<half>(a + u, a_row, b + u * cols);
    }
    if (u < depth) {  // the rest, followed by zeros
        alignas(64) uint32_t last_a[rows * side] = {}, last_b[side * cols] = {};
        for (int64_t r = 0; r < (half ? side : rows); ++r) {
            for (int64_t i = u; i < depth; ++i) {
                last_a[r * side + i - u] = a[r * a_row + i];
            }
        }
        __builtin_memcpy(last_b, b + u * cols, size_t((depth - u) * cols) * sizeof *b);
        // g++ does not know that a tile load reads memory.
        asm volatile("" ::"r"(last_a), "r"(last_b) : "memory");
        multiply_step<half>(last_a, side, last_b);
    }
    _tile_stored(0, c, 4 * ldc);
    _tile_stored(1, c + side, 4 * ldc);
    if constexpr (!half) {
        _tile_stored(2, lower, 4 * ldc);
        _tile_stored(3, lower + side, 4 * ldc);
    }
}

// The processor has AMX for bfloat16, and Linux lets this process use its registers.
bool usable() {
    constexpr unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24, tile_data = 18;
    constexpr long request_permission = 0x1023;  // ARCH_REQ_XCOMP_PERM
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & amx_bf16) != 0 &&
           (d & amx_tile) != 0 && syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

}  // namespace

const Tile<uint32_t>* amx_tile() {
    static constexpr Tile<uint32_t> tile = {.rows = rows,
                                            .cols = cols,
                                            .along_depth = true,
                                            .step = side,
                                            .multiply = multiply<false>,
                                            .few_rows = side,
                                            .multiply_few = multiply<true>,
                                            .narrow_cols = cols,
                                            .multiply_narrow = multiply<false>,
                                            .name = "AMX",
                                            .begin = begin,
                                            .end = end};
    static const bool can = usable();
    return can ? &tile : nullptr;
}

#else

const Tile<uint32_t>* amx_tile() {
    return nullptr;
}

#endif

}  // namespace smoe
#endif
