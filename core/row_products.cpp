// Products of reals are made of tiles of up to 6 rows and two registers of columns, whose sums stay
// in registers: 12 of the 16 that most processors have. Rows are shared evenly among tiles, since a
// tile of one or two rows takes as long as one of four.
// Read next: rounded_products.h, the same in bfloat16.
#include "core/row_products.h"

#include <algorithm>

#include "core/count_products.h"
#include "core/matvec.h"
#include "core/rounded_products.h"
#include "core/vector_type.h"

namespace smoe {
namespace {

constexpr int64_t tile_rows = 6, tile_cols = 2 * lanes;

// Calls body.operator()<rows>(begin) for tiles of about equal size that cover [0, count).
template <class Body>
inline void for_each_row_tile(int64_t count, const Body& body) {
    const int64_t tiles = (count + tile_rows - 1) / tile_rows;
    for (int64_t tile = 0; tile < tiles; ++tile) {
        const int64_t begin = tile * count / tiles;
        switch ((tile + 1) * count / tiles - begin) {
            case 1:
                body.template operator()<1>(begin);
                break;
            case 2:
                body.template operator()<2>(begin);
                break;
            case 3:
                body.template operator()<3>(begin);
                break;
            case 4:
                body.template operator()<4>(begin);
                break;
            case 5:
                body.template operator()<5>(begin);
                break;
            default:
                body.template operator()<6>(begin);
        }
    }
}

// Calls body.operator()<Sum, vectors>(begin) for tiles that cover the columns [0, count): two
// registers wide, then one, then single numbers.
template <class Body>
inline void for_each_column_tile(int64_t count, const Body& body) {
    int64_t begin = 0;
    for (; begin + 2 * lanes <= count; begin += 2 * lanes) {
        body.template operator()<Vector, 2>(begin);
    }
    for (; begin + lanes <= count; begin += lanes) {
        body.template operator()<Vector, 1>(begin);
    }
    for (; begin < count; ++begin) {
        body.template operator()<real, 1>(begin);
    }
}

// Row i of a tile at to(i): = or += sum over k < K of a(k, i) times the numbers at b(k).
template <int R, class Sum, int V, class A, class B, class To>
inline void multiply_tile(int64_t K, const A& a, const B& b, bool add, const To& to) {
    constexpr int64_t width = sizeof(Sum) / sizeof(real);
    for (int i = 0; i < R; ++i) {
        __builtin_prefetch(to(i), 1);
    }
    Sum sums[R][V] = {};
    for (int64_t k = 0; k < K; ++k) {
        Sum factor[V];
        for (int v = 0; v < V; ++v) {
            factor[v] = load<Sum>(b(k) + v * width);
        }
        for (int i = 0; i < R; ++i) {
            const real a_ki = a(k, i);
            for (int v = 0; v < V; ++v) {
                sums[i][v] += factor[v] * a_ki;
            }
        }
    }
    for (int i = 0; i < R; ++i) {
        real* const target = to(i);
        for (int v = 0; v < V; ++v) {
            store(add ? load<Sum>(target + v * width) + sums[i][v] : sums[i][v],
                  target + v * width);
        }
    }
}

// Numbers that a tile reads row by row, `stride` apart.
struct Strip {
    const real* data;
    int64_t stride;
};

// Columns begin .. begin + width - 1 of rows first .. first + count - 1, together in `room`.
// Rows that are a power of two apart compete for the same few places of a cache.
Strip copied(const Rows& rows, int64_t first, int64_t count, int64_t begin, int64_t width,
             real* room) {
    for (int64_t r = 0; r < count; ++r) {
        __builtin_prefetch(rows[first + r] + begin + width);  // of the next strip
        std::copy_n(rows[first + r] + begin, width, room + r * width);
    }
    return {room, width};
}

// Row r of the result is row ids[r] of a matrix, or row r if there are no ids.
struct ResultRows {
    real* matrix;
    const int32_t* ids = nullptr;
};

// Row r of y = (or += if `add`) a[r] (K) b (K, n) for the rows of a (count, K).
void multiply_by_matrix(const Rows& a, const real* b, int64_t n, bool add, const ResultRows& y) {
    constexpr int64_t few = 64;  // rows of b that stay in the first-level cache
    real room[few * tile_cols];
    for_each_column_tile(n, [&]<class Sum, int V>(int64_t col) {
        constexpr int64_t width = V * int64_t(sizeof(Sum) / sizeof(real));
        const Strip part = a.width <= few && a.count > tile_rows
                               ? copied({b, n, a.width}, 0, a.width, col, width, room)
                               : Strip{b + col, n};
        for_each_row_tile(a.count, [&]<int R>(int64_t row) {
            const real* from[R];
            real* to[R];
            for (int i = 0; i < R; ++i) {
                from[i] = a[row + i];
                to[i] = y.matrix + (y.ids == nullptr ? row + i : y.ids[row + i]) * n + col;
            }
            multiply_tile<R, Sum, V>(
                a.width, [&](int64_t k, int i) { return from[i][k]; },
                [&](int64_t k) { return part.data + k * part.stride; }, add,
                [&](int i) { return to[i]; });
        });
    });
}

// c (Y, X) += sum over r of a[r]^T b[r], in the order of r, for a (count, Y) and b (count, X).
void multiply_columns(const Rows& a, const Rows& b, real* c) {
    constexpr int64_t at_once = 64, strip = 48;  // rows and columns that stay in that cache
    real room_a[at_once * strip], room_b[at_once * tile_cols];
    for (int64_t first = 0; first < a.count; first += at_once) {
        const int64_t count = std::min(at_once, a.count - first);
        const int64_t strips = a.ids == nullptr ? 1 : (a.width + strip - 1) / strip;
        for (int64_t s = 0; s < strips; ++s) {
            const int64_t top = s * a.width / strips, height = (s + 1) * a.width / strips - top;
            const Strip from_a = a.ids == nullptr ? Strip{a[first], a.width}
                                                  : copied(a, first, count, top, height, room_a);
            for_each_column_tile(b.width, [&]<class Sum, int V>(int64_t col) {
                constexpr int64_t width = V * int64_t(sizeof(Sum) / sizeof(real));
                const Strip from_b = b.ids == nullptr ? Strip{b[first] + col, b.width}
                                                      : copied(b, first, count, col, width, room_b);
                for_each_row_tile(height, [&]<int R>(int64_t row) {
                    multiply_tile<R, Sum, V>(
                        count,
                        [&](int64_t r, int i) { return from_a.data[r * from_a.stride + row + i]; },
                        [&](int64_t r) { return from_b.data + r * from_b.stride; }, true,
                        [&](int i) { return c + (top + row + i) * b.width + col; });
                });
            });
        }
    }
}

}  // namespace

PickedRows::PickedRows(Precision precision, const Tensor& numbers)
    : rounded(rounds_to_bfloat16(precision)), matrix(numbers) {
    if (rounded) {
        pairs = Tensor::empty({matrix.size(0), (matrix.size(1) + 1) / 2});
    }
}

void PickedRows::prepare(int64_t first, int64_t end) const {
    if (rounded) {
        round_rows(*this, first, end);
    }
}

SmallMatrices::SmallMatrices(Precision precision, int64_t count, int64_t depth_, int64_t lanes_)
    : rounded(rounds_to_bfloat16(precision)),
      depth(depth_),
      lanes(lanes_),
      panel(rounded ? panel_for(lanes) : 0) {
    const int64_t numel =
        rounded ? (lanes + panel - 1) / panel * panel * ((depth + 1) / 2) : depth * lanes;
    numbers = Tensor::empty({count, numel});
}

void SmallMatrices::set(int64_t m, const Operand& from) const {
    if (rounded) {
        round_matrix(*this, m, from);
        return;
    }
    real* const to = numbers.data() + m * numbers.size(1);
    for (int64_t k = 0; k < depth; ++k) {
        for (int64_t l = 0; l < lanes; ++l) {
            to[k * lanes + l] = from.data[l * from.lane_stride + k * from.depth_stride];
        }
    }
}

void multiply_rows(const PickedRows& a, RowIds ids, const SmallMatrices& b, int64_t m, real* y) {
    const auto count = int64_t(ids.size());
    count_product(count * b.depth * b.lanes);
    if (a.rounded) {
        multiply_rounded_rows(a, ids, b, m, y);
        return;
    }
    multiply_by_matrix({a.matrix.data(), b.depth, count, ids.data()},
                       b.numbers.data() + m * b.numbers.size(1), b.lanes, false, {y});
}

void add_products(const real* a, const SmallMatrices& b, int64_t m, RowIds ids, real* y) {
    const auto count = int64_t(ids.size());
    count_product(count * b.depth * b.lanes);
    if (b.rounded) {
        add_rounded_products(a, b, m, ids, y);
        return;
    }
    multiply_by_matrix({a, b.depth, count}, b.numbers.data() + m * b.numbers.size(1), b.lanes, true,
                       {y, ids.data()});
}

void add_outer_products(const real* a, int64_t Y, const PickedRows& b, RowIds ids, real* c) {
    const auto count = int64_t(ids.size());
    const int64_t width = b.matrix.size(1);
    count_product(count * Y * width);
    if (b.rounded) {
        add_rounded_outer_products(a, Y, b, ids, c);
        return;
    }
    multiply_columns({a, Y, count}, {b.matrix.data(), width, count, ids.data()}, c);
}

}  // namespace smoe
