// Splitting vectors into rows of bfloat16, and the loop over the panels.
// Read next: tiles/tile.h.
#ifndef SMOE_DOUBLE
#include "core/panels.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "core/bfloat16.h"
#include "core/scratch.h"
#include "core/threads.h"
#include "core/tiles/tile.h"

namespace smoe {
namespace {

constexpr int64_t skipped_units = 16;  // of the depth, left out together where all numbers are 0
constexpr size_t dense_slot = 5;       // of scratch; no caller of these products uses it

int64_t units_in(int64_t numbers) {
    return (numbers + 1) / 2;
}

Tensor in_panels(const Tensor& matrix, int64_t outputs, int64_t depth, int64_t output_stride,
                 int64_t depth_stride) {
    const int64_t cols = bfloat16_tile().cols, units = units_in(depth);
    const int64_t panels = (outputs + cols - 1) / cols;
    const Tensor made = Tensor::empty({panels, units * cols});
    parallel_chunks(panels, [&](int64_t panel) {
        real* to = made.data() + panel * units * cols;
        for (int64_t u = 0; u < units; ++u) {
            for (int64_t output = panel * cols; output < (panel + 1) * cols; ++output) {
                const auto number = [&](int64_t k) {
                    return output < outputs && k < depth
                               ? matrix.data()[output * output_stride + k * depth_stride]
                               : 0;
                };
                const uint32_t pair = bfloat16_pair(number(2 * u), number(2 * u + 1));
                std::memcpy(to++, &pair, sizeof pair);
            }
        }
    });
    return made;
}

// `count` numbers as two rows of units: of the nearest bfloat16 of each, and of the bfloat16 of what
// that leaves out. Infinity and NaN leave nothing.
void split(const real* numbers, int64_t count, uint32_t* high, uint32_t* low) {
    constexpr int64_t at_once = 64;
    constexpr uint32_t exponent = 0x7f800000u;
    for (int64_t begin = 0; begin < count; begin += at_once) {
        const int64_t some = std::min(at_once, count - begin), units = units_in(some);
        uint32_t highs[at_once], lows[at_once];
        highs[2 * units - 1] = lows[2 * units - 1] = 0;
#pragma omp simd
        for (int64_t i = 0; i < some; ++i) {
            const float number = numbers[begin + i];
            highs[i] = rounded_to_bfloat16(number) & 0xffff0000u;
            const float rest = number - std::bit_cast<float>(highs[i]);
            lows[i] = rounded_to_bfloat16((highs[i] & exponent) == exponent ? 0 : rest);
        }
#pragma omp simd
        for (int64_t u = 0; u < units; ++u) {
            high[begin / 2 + u] = highs[2 * u] >> 16 | highs[2 * u + 1];
            low[begin / 2 + u] = lows[2 * u] >> 16 | (lows[2 * u + 1] & 0xffff0000u);
        }
    }
}

// M vectors as 2 M rows of units, in memory of the thread. A tile may read rows behind them, whose
// sums nobody looks at.
struct SplitVectors {
    int64_t M, units;
    uint32_t* rows;

    SplitVectors(int64_t vectors, int64_t numbers) : M(vectors), units(units_in(numbers)) {
        constexpr int64_t line = 16;  // units of a line of the cache
        thread_local std::vector<uint32_t> memory;
        const auto wanted = size_t((2 * M + bfloat16_tile().rows) * units + line);
        if (memory.size() < wanted) {
            memory.resize(wanted);
        }
        const auto address = reinterpret_cast<uintptr_t>(memory.data());
        rows = memory.data() + (line * 4 - address % (line * 4)) % (line * 4) / 4;
    }
    void take(int64_t m, const real* numbers, int64_t count) {
        split(numbers, count, rows + 2 * m * units, rows + (2 * m + 1) * units);
    }
    bool all_zero(int64_t first, int64_t count) const {
        uint32_t any = 0;
        for (int64_t row = 0; row < 2 * M; ++row) {
            for (int64_t u = first; u < first + count; ++u) {
                any |= rows[row * units + u];
            }
        }
        return any == 0;
    }
};

struct Run {
    int64_t first, units;
};

// What to multiply along the depth. Where zeros are left out changes no bit: all sums go on where the
// next run begins, or, with a tile that cannot do that, are always cut into the same pieces.
std::vector<Run>& runs_of(const SplitVectors& a) {
    thread_local std::vector<Run> runs;
    runs.clear();
    const int64_t step = bfloat16_tile().step;
    const bool join = step != 0 && skipped_units % step == 0;
    for (int64_t u = 0; u < a.units; u += skipped_units) {
        const int64_t units = std::min(skipped_units, a.units - u);
        if (a.all_zero(u, units)) {
            continue;
        }
        if (join && !runs.empty() && runs.back().first + runs.back().units == u) {
            runs.back().units += units;
        } else {
            runs.push_back({u, units});
        }
    }
    return runs;
}

// The outputs of `part`, with the panels' depth from first_unit on.
void multiply(const Panels& panels, const SplitVectors& a, int64_t first_unit,
              std::span<const Run> runs, const PanelPart& part, real* y, int64_t ldy) {
    const Tile<uint32_t>& tile = bfloat16_tile();
    const TileUse<uint32_t> use(tile);
    const int64_t cols = tile.cols, panel_units = units_in(panels.depth) * cols;
    alignas(64) real sums[most_tile_numbers];
    for (int64_t j = 0; j < part.count;) {
        const int64_t panel = (part.first + part.id(j)) / cols, begin = j;
        while (j < part.count && (part.first + part.id(j)) / cols == panel) {
            ++j;
        }
        const auto* const b = reinterpret_cast<const uint32_t*>(panels.data + panel * panel_units) +
                              first_unit * cols;
        for (int64_t row = 0; row < 2 * a.M;) {
            const bool few = 2 * a.M - row <= tile.few_rows;
            const auto multiply_tile = few ? tile.multiply_few : tile.multiply;
            const int64_t rows = few ? tile.few_rows : tile.rows;
            bool add = false;
            for (const Run& run : runs) {
                multiply_tile(run.units, a.rows + row * a.units + run.first, a.units, 1,
                              b + run.first * cols, add, sums, cols);
                add = true;
            }
            if (!add) {
                std::fill_n(sums, rows * cols, real(0));
            }
            for (int64_t m = row / 2; m < std::min((row + rows) / 2, a.M); ++m) {
                const real* const high = sums + (2 * m - row) * cols;
                for (int64_t i = begin; i < j; ++i) {
                    const int64_t col = part.first + part.id(i) - panel * cols;
                    y[m * ldy + part.id(i)] = high[col] + high[cols + col];
                }
            }
            row += rows;
        }
    }
}

}  // namespace

Tensor panels_of_rows(const Tensor& matrix) {
    return in_panels(matrix, matrix.size(0), matrix.size(1), matrix.size(1), 1);
}

Tensor panels_of_columns(const Tensor& matrix) {
    return in_panels(matrix, matrix.size(1), matrix.size(0), 1, matrix.size(1));
}

void multiply_panels(const Panels& panels, int64_t M, const real* x, int64_t ldx,
                     const PanelPart& part, real* y, int64_t ldy) {
    SplitVectors vectors(M, panels.depth);
    for (int64_t m = 0; m < M; ++m) {
        vectors.take(m, x + m * ldx, panels.depth);
    }
    const Run all{0, vectors.units};
    multiply(panels, vectors, 0, {&all, 1}, part, y, ldy);
}

void combine_panels(const Panels& panels, int64_t M, const real* a, int64_t lda,
                    const PanelPart& part, real* y, int64_t ldy) {
    // From an even number of the depth on, numbers that are not asked for as zeros.
    const int64_t before = part.first % 2;
    const int64_t numbers = before + (part.count == 0 ? 0 : part.id(part.count - 1) + 1);
    SplitVectors vectors(M, numbers);
    real* const dense = scratch(dense_slot, numbers);
    for (int64_t m = 0; m < M; ++m) {
        std::fill_n(dense, numbers, real(0));
        for (int64_t j = 0; j < part.count; ++j) {
            dense[before + part.id(j)] = a[m * lda + part.id(j)];
        }
        vectors.take(m, dense, numbers);
    }
    multiply(panels, vectors, part.first / 2, runs_of(vectors), {0, panels.outputs}, y, ldy);
}

}  // namespace smoe
#endif
