// A tile takes pairs of numbers along the depth. Rows have theirs side by side, columns one below the
// other, so the outer products turn both their factors.
// Read next: tiles/tile_body.h.
#include "core/rounded_products.h"

#include <algorithm>

#include "core/bfloat16.h"
#include "core/scratch.h"
#include "core/tiles/tile.h"
#include "core/vector_math.h"

namespace smoe {

#ifdef SMOE_DOUBLE  // which rounds nothing

void round_rows(const PickedRows&, int64_t, int64_t) {}
int64_t panel_for(int64_t lanes) {
    return lanes;
}
void round_matrix(const SmallMatrices&, int64_t, const Operand&) {}
void multiply_rounded_rows(const PickedRows&, RowIds, const SmallMatrices&, int64_t, real*) {}
void add_rounded_products(const real*, const SmallMatrices&, int64_t, RowIds, real*) {}
void add_rounded_outer_products(const real*, int64_t, const PickedRows&, RowIds, real*) {}

#else

namespace {

using Pair = uint32_t;

int64_t padded_to(int64_t count, int64_t whole) {
    return (count + whole - 1) / whole * whole;
}

int64_t pairs_of(int64_t numbers) {
    return (numbers + 1) / 2;
}

// Pairs lie in memory of floats, which are as large.
Pair* pairs(real* from) {
    static_assert(sizeof(Pair) == sizeof(real));
    return reinterpret_cast<Pair*>(from);
}

// Row i of `numbers` (.., pairs).
Pair* row_of(const Tensor& numbers, int64_t i) {
    return pairs(numbers.data() + i * numbers.size(1));
}

// Numbers of a row in pairs; the last may be half empty.
void round_along(int64_t width, const real* row, Pair* to) {
    for (int64_t p = 0; p < width / 2; ++p) {
        to[p] = bfloat16_pair(row[2 * p], row[2 * p + 1]);
    }
    if (width % 2 != 0) {
        to[width / 2] = bfloat16_pair(row[width - 1], 0);
    }
}

// Each number of a row with the one below it, or with 0 if there is no second row.
void round_across(int64_t width, const real* first, const real* second, Pair* to) {
    if (second == nullptr) {
        for (int64_t i = 0; i < width; ++i) {
            to[i] = bfloat16_pair(first[i], 0);
        }
    } else {
        for (int64_t i = 0; i < width; ++i) {
            to[i] = bfloat16_pair(first[i], second[i]);
        }
    }
}

// The same of two rows that are in pairs already.
void turn_pairs(int64_t width, const Pair* first, const Pair* second, Pair* to) {
    for (int64_t p = 0; p < width / 2; ++p) {
        to[2 * p] = (first[p] & 0xffffu) | second[p] << 16;
        to[2 * p + 1] = first[p] >> 16 | (second[p] & 0xffff0000u);
    }
    if (width % 2 != 0) {
        to[width - 1] = (first[width / 2] & 0xffffu) | second[width / 2] << 16;
    }
}

// Pair (row, p) is data[row * row_stride + p * pair_stride].
struct TileRows {
    const Pair* data;
    int64_t row_stride, pair_stride;
};

struct TilePanels {
    const Pair* data;
    int64_t lanes, panel;
};

// c (count, lanes) = or += (if `add`) a b along `depth` pairs, tile by tile. Rows of a are read up
// to a whole tile; what comes of them, and of lanes that a panel has too many, is dropped.
void multiply_tiles(int64_t count, int64_t depth, const TileRows& a, const TilePanels& b, bool add,
                    real* c) {
    const Tile<Pair>& tile = bfloat16_tile();
    const TileUse<Pair> use(tile);
    const bool narrow = b.panel != tile.cols;
    for (int64_t col = 0; col < b.lanes; col += b.panel) {
        const int64_t width = std::min(b.panel, b.lanes - col);
        for (int64_t row = 0, height; row < count; row += height) {
            const int64_t left = count - row;
            const bool few = !narrow && padded_to(left, tile.few_rows) < tile.rows;
            height = few ? tile.few_rows : tile.rows;
            const auto multiply = narrow ? tile.multiply_narrow
                                  : few  ? tile.multiply_few
                                         : tile.multiply;
            const auto multiply_to = [&](bool adds, real* to, int64_t ld) {
                multiply(depth, a.data + row * a.row_stride, a.row_stride, a.pair_stride,
                         b.data + col * depth, adds, to, ld);
            };
            real* const to = c + row * b.lanes + col;
            if (height <= left && width == b.panel) {
                multiply_to(add, to, b.lanes);
                continue;
            }
            real beside[most_tile_numbers];
            multiply_to(false, beside, b.panel);
            for (int64_t r = 0; r < std::min(height, left); ++r) {
                for (int64_t l = 0; l < width; ++l) {
                    const real product = beside[r * b.panel + l];
                    to[r * b.lanes + l] = add ? to[r * b.lanes + l] + product : product;
                }
            }
        }
    }
}

// Calls body(first, count) for groups of rows, of which each makes so many numbers.
template <class Body>
void for_each_group(int64_t rows, int64_t numbers, const Body& body) {
    constexpr int64_t most_numbers = 4096;
    const int64_t tile = bfloat16_tile().rows;
    const int64_t group = std::max<int64_t>(1, most_numbers / (tile * numbers)) * tile;
    for (int64_t first = 0; first < rows; first += group) {
        body(first, std::min(group, rows - first));
    }
}

// Room for rows of `depth` pairs, and for what a tile reads beyond them.
Pair* room_for(int64_t count, int64_t depth) {
    return pairs(scratch(0, padded_to(count, bfloat16_tile().rows) * depth));
}

// c (count, lanes) = rows that room_for gave room, times matrix m
void multiply_group(const Pair* rows, int64_t count, const SmallMatrices& b, int64_t m, real* c) {
    const int64_t depth = pairs_of(b.depth);
    multiply_tiles(count, depth, {rows, depth, 1}, {row_of(b.numbers, m), b.lanes, b.panel}, false,
                   c);
}

// The columns of a (count, Y) as rows of `depth` pairs, those behind the numbers 0.
TileRows columns_of(const real* a, int64_t count, int64_t Y, int64_t depth) {
    const Tile<Pair>& tile = bfloat16_tile();
    const int64_t padded = padded_to(Y, tile.rows);
    Pair* const to = pairs(scratch(0, padded * (depth + 1)));
    Pair* const across = to + padded * depth;
    std::fill_n(to, padded * depth, Pair(0));
    for (int64_t p = 0; p < pairs_of(count); ++p) {
        const real* const row = a + 2 * p * Y;
        round_across(Y, row, 2 * p + 1 < count ? row + Y : nullptr,
                     tile.along_depth ? across : to + p * padded);
        for (int64_t y = 0; tile.along_depth && y < Y; ++y) {
            to[y * depth + p] = across[y];
        }
    }
    return tile.along_depth ? TileRows{to, depth, 1} : TileRows{to, 1, padded};
}

// Picked rows in pairs across them, as a matrix in panels.
TilePanels panels_of(const PickedRows& b, RowIds ids, int64_t depth) {
    const int64_t cols = bfloat16_tile().cols, width = b.matrix.size(1);
    Pair* const to = pairs(scratch(1, padded_to(width, cols) * depth));
    Pair* const zeros = pairs(scratch(2, b.pairs.size(1)));
    std::fill_n(zeros, b.pairs.size(1), Pair(0));
    const auto row = [&](int64_t r) -> const Pair* {
        return r < int64_t(ids.size()) ? row_of(b.pairs, ids[size_t(r)]) : zeros;
    };
    for (int64_t p = 0; p < depth; ++p) {
        const Pair* const first = row(2 * p);
        const Pair* const second = row(2 * p + 1);
        for (int64_t col = 0; col < width; col += cols) {
            Pair* const part = to + col * depth + p * cols;
            const int64_t some = std::min(cols, width - col);
            turn_pairs(some, first + col / 2, second + col / 2, part);
        }
    }
    return {to, width, cols};
}

}  // namespace

void round_rows(const PickedRows& rows, int64_t first, int64_t end) {
    const int64_t width = rows.matrix.size(1);
    for (int64_t r = first; r < end; ++r) {
        round_along(width, rows.matrix.data() + r * width, row_of(rows.pairs, r));
    }
}

int64_t panel_for(int64_t lanes) {
    const Tile<Pair>& tile = bfloat16_tile();
    return padded_to(lanes, tile.narrow_cols) < padded_to(lanes, tile.cols) ? tile.narrow_cols
                                                                            : tile.cols;
}

void round_matrix(const SmallMatrices& matrices, int64_t m, const Operand& from) {
    const int64_t depth = matrices.depth, lanes = matrices.lanes, panel = matrices.panel;
    const int64_t size = pairs_of(depth);
    Pair* const to = row_of(matrices.numbers, m);
    if (from.depth_stride == 1) {
        Pair* const along = pairs(scratch(0, size));
        for (int64_t lane = 0; lane < lanes; ++lane) {
            round_along(depth, from.data + lane * from.lane_stride, along);
            Pair* const first = to + lane / panel * panel * size + lane % panel;
            for (int64_t p = 0; p < size; ++p) {
                first[p * panel] = along[p];
            }
        }
        return;
    }
    for (int64_t lane = 0; lane < lanes; lane += panel) {
        for (int64_t p = 0; p < size; ++p) {
            const real* const row = from.data + lane + 2 * p * from.depth_stride;
            round_across(std::min(panel, lanes - lane), row,
                         2 * p + 1 < depth ? row + from.depth_stride : nullptr,
                         to + lane * size + p * panel);
        }
    }
}

void multiply_rounded_rows(const PickedRows& a, RowIds ids, const SmallMatrices& b, int64_t m,
                           real* y) {
    const int64_t depth = pairs_of(b.depth);
    for_each_group(int64_t(ids.size()), depth, [&](int64_t first, int64_t count) {
        Pair* const rows = room_for(count, depth);
        for (int64_t r = 0; r < count; ++r) {
            std::copy_n(row_of(a.pairs, ids[size_t(first + r)]), depth, rows + r * depth);
        }
        multiply_group(rows, count, b, m, y + first * b.lanes);
    });
}

void add_rounded_products(const real* a, const SmallMatrices& b, int64_t m, RowIds ids, real* y) {
    const int64_t depth = pairs_of(b.depth);
    for_each_group(int64_t(ids.size()), b.lanes, [&](int64_t first, int64_t count) {
        Pair* const rows = room_for(count, depth);
        for (int64_t r = 0; r < count; ++r) {
            round_along(b.depth, a + (first + r) * b.depth, rows + r * depth);
        }
        real* const products = scratch(1, count * b.lanes);
        multiply_group(rows, count, b, m, products);
        for (int64_t r = 0; r < count; ++r) {
            axpy(b.lanes, 1, products + r * b.lanes, y + ids[size_t(first + r)] * b.lanes);
        }
    });
}

void add_rounded_outer_products(const real* a, int64_t Y, const PickedRows& b, RowIds ids,
                                real* c) {
    constexpr int64_t most_rows = 128;  // that are summed up at a time, while they are in cache
    const int64_t step = std::max<int64_t>(bfloat16_tile().step, 1);
    const auto count = int64_t(ids.size());
    for (int64_t first = 0; first < count; first += most_rows) {
        const int64_t some = std::min(most_rows, count - first);
        const int64_t depth = padded_to(pairs_of(some), step);
        multiply_tiles(Y, depth, columns_of(a + first * Y, some, Y, depth),
                       panels_of(b, ids.subspan(size_t(first), size_t(some)), depth), true, c);
    }
}

#endif

}  // namespace smoe
