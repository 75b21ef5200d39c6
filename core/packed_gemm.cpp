// Blocks and packing, after Goto and van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication" (TOMS 2008). First all threads pack b, and a if its lanes lie side by side in
// memory, each in one sweep. Then each chunk of rows of the result packs its own rows of a, which
// stay in the second-level cache, and goes through the panels of b.
// Read next: tiles/tile_body.h.
#include "core/packed_gemm.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>

#include "core/bfloat16.h"
#include "core/count_products.h"
#include "core/tiles/tile.h"

namespace smoe {
namespace {

constexpr int64_t block_depth = 256;  // units that a tile sums up before it adds them to the result
constexpr int64_t most_rows = 128;    // of the result in a chunk
constexpr int64_t wanted_chunks = 16;
constexpr int64_t sweep_lanes = 512;  // lanes that are packed together, row by row
constexpr int64_t widest_panel = 64;

// Working memory of one thread, kept from product to product.
template <class Unit>
Unit* room(size_t slot, int64_t count) {
    constexpr std::align_val_t cache_line{64};
    struct Buffer {
        Unit* data = nullptr;
        int64_t size = 0;
        ~Buffer() { ::operator delete(data, cache_line); }
    };
    thread_local Buffer buffers[3];
    Buffer& buffer = buffers[slot];
    if (buffer.size < count) {
        ::operator delete(buffer.data, cache_line);
        buffer = {nullptr, 0};
        buffer.data = static_cast<Unit*>(::operator new(size_t(count) * sizeof(Unit), cache_line));
        buffer.size = count;
    }
    return buffer.data;
}

// How numbers become units.
struct Exact {
    using Unit = real;
    static constexpr int64_t numbers = 1;  // in a unit
    static const Tile<Unit>& tile() { return real_tile(); }
    static Unit unit(real first, real) { return first; }
};

#ifndef SMOE_DOUBLE
struct Bfloat16 {
    using Unit = uint32_t;
    static constexpr int64_t numbers = 2;
    static const Tile<Unit>& tile() { return bfloat16_tile(); }
    static Unit unit(real first, real second) { return bfloat16_pair(first, second); }
};
#endif

constexpr int64_t at_once = 16;  // units that are converted together

// Numbers first .. first + count - 1 of a rising list, or of all numbers without one: the first of
// them if they follow one another, else -1.
int64_t run_of(const int32_t* list, int64_t first, int64_t count) {
    return list == nullptr                                               ? first
           : list[first + count - 1] - list[first] + 1 == int32_t(count) ? list[first]
                                                                         : -1;
}

int64_t ceil_div(int64_t count, int64_t by) {
    return (count + by - 1) / by;
}

template <class Format>
class Product {
  public:
    using Unit = typename Format::Unit;

    Product(int64_t M, int64_t N, int64_t K, const Operand& a, const Operand& b, real beta,
            const ProductResult& C)
        : M_(M),
          N_(N),
          K_(K),
          units_(ceil_div(K, Format::numbers)),
          a_(a),
          b_(b),
          beta_(beta),
          c_(C),
          a_is_swept_(swept(a) && !tile_.along_depth) {
        packed_b_ = room<Unit>(0, ceil_div(N, cols_) * cols_ * units_);
        packed_a_ = a_is_swept_ ? room<Unit>(1, ceil_div(M, rows_) * rows_ * units_) : nullptr;
    }

    void run(Borrowed<const GemmBlock&> finish) {
        const int64_t depth_blocks = ceil_div(units_, block_depth);
        const int64_t sweeps_b = ceil_div(N_, sweep_lanes), jobs_b = sweeps_b * depth_blocks;
        const int64_t a_lanes = sweep_lanes / rows_ * rows_;
        const int64_t sweeps_a = ceil_div(M_, a_lanes);
        const int64_t jobs_a = a_is_swept_ ? sweeps_a * depth_blocks : 0;
        parallel_chunks(jobs_b + jobs_a, [&](int64_t job) {
            if (job < jobs_b) {
                pack(b_, job % sweeps_b * sweep_lanes, sweep_lanes, N_, cols_,
                     job / sweeps_b * block_depth, packed_b_);
            } else {
                const int64_t own = job - jobs_b;
                pack(a_, own % sweeps_a * a_lanes, a_lanes, M_, rows_, own / sweeps_a * block_depth,
                     packed_a_);
            }
        });
        // Ranges of rows change no bit, so they may depend on who else could work.
        const int64_t even = ceil_div(M_, inside_chunk() || threads() == 1 ? 1 : wanted_chunks);
        const int64_t rows =
            std::clamp(ceil_div(even, rows_) * rows_, rows_, most_rows / rows_ * rows_);
        parallel_chunks(ceil_div(M_, rows), [&](int64_t chunk) {
            const GemmBlock block{chunk * rows, std::min(rows, M_ - chunk * rows), 0, N_};
            multiply(block);
            finish(block);
        });
    }

  private:
    static bool swept(const Operand& from) { return from.lane_stride == 1; }

    // Where a packed operand of `lanes` lanes in panels of `width` holds a depth block: block by
    // block, in each panel by panel, in each unit by unit.
    int64_t block_at(int64_t first_unit, int64_t lanes, int64_t width) const {
        return first_unit * ceil_div(lanes, width) * width;
    }
    int64_t units_from(int64_t first_unit) const {
        return std::min(block_depth, units_ - first_unit);
    }

    // The numbers of `from` at depth k, at lane 0 of it.
    const real* at_depth(const Operand& from, int64_t k) const {
        return from.data + (from.depths ? from.depths[k] : k) * from.depth_stride;
    }

    // Lanes first .. first + count - 1 of `lanes` in panels of `width`, for one depth block.
    void pack(const Operand& from, int64_t first, int64_t count, int64_t lanes, int64_t width,
              int64_t first_unit, Unit* packed) const {
        const int64_t depth = units_from(first_unit);
        Unit* const to = packed + block_at(first_unit, lanes, width) + first * depth;
        count = std::min(count, lanes - first);
        if (swept(from)) {
            sweep(from, first, count, width, first_unit, depth, to);
            return;
        }
        for (int64_t panel = 0; panel < count; panel += width) {
            for (int64_t l = 0; l < width; ++l) {
                Unit* const lane = to + panel * depth + l;
                if (panel + l < count) {
                    pack_lane(from, first + panel + l, first_unit, depth, width, lane);
                } else {
                    for (int64_t u = 0; u < depth; ++u) {
                        lane[u * width] = 0;
                    }
                }
            }
        }
    }

    // One lane, its units `stride` apart.
    void pack_lane(const Operand& from, int64_t lane, int64_t first_unit, int64_t depth,
                   int64_t stride, Unit* to) const {
        const int64_t k0 = first_unit * Format::numbers;
        const real* const source =
            from.data + (from.lanes ? from.lanes[lane] : lane) * from.lane_stride;
        const auto number = [&](int64_t k) {
            return source[(from.depths ? from.depths[k] : k) * from.depth_stride];
        };
        const auto convert = [&](int64_t u, auto count) {
            const int64_t k = k0 + u * Format::numbers;
            Unit units[at_once];
            if (const auto run = run_of(from.depths, k, count * Format::numbers);
                run >= 0 && from.depth_stride == 1) {
                for (int64_t i = 0; i < count; ++i) {
                    units[i] = Format::unit(source[run + i * Format::numbers],
                                            source[run + (i + 1) * Format::numbers - 1]);
                }
            } else {
                for (int64_t i = 0; i < count; ++i) {
                    units[i] = Format::unit(number(k + i * Format::numbers),
                                            number(k + (i + 1) * Format::numbers - 1));
                }
            }
            for (int64_t i = 0; i < count; ++i) {
                to[(u + i) * stride] = units[i];
            }
        };
        const int64_t whole = std::min(depth, (K_ - k0) / Format::numbers);
        int64_t u = 0;
        for (; u + at_once <= whole; u += at_once) {
            convert(u, std::integral_constant<int64_t, at_once>());
        }
        for (; u < whole; ++u) {
            convert(u, std::integral_constant<int64_t, 1>());
        }
        if (whole < depth) {
            to[whole * stride] = Format::unit(number(K_ - 1), 0);
        }
    }

    // The units of lanes first .. first + count - 1 at one depth, for lanes that lie side by side in
    // memory or are picked from such.
    void convert_lanes(const Operand& from, int64_t first, int64_t count, int64_t unit,
                       Unit* row) const {
        const int64_t k = unit * Format::numbers, last = k + Format::numbers - 1;
        const real* const earlier = at_depth(from, k);
        const real* const later = at_depth(from, std::min(last, K_ - 1));
        const bool whole = last < K_;
        const auto convert = [&](int64_t l, int64_t run, auto size) {
            for (int64_t i = 0; i < size; ++i) {
                row[l + i] = Format::unit(earlier[run + i], whole ? later[run + i] : 0);
            }
        };
        if (from.lanes == nullptr) {
            convert(0, first, count);
            return;
        }
        int64_t l = 0;
        for (; l + at_once <= count; l += at_once) {
            if (const int64_t run = run_of(from.lanes, first + l, at_once); run >= 0) {
                convert(l, run, std::integral_constant<int64_t, at_once>());
                continue;
            }
            for (int64_t i = l; i < l + at_once; ++i) {
                const int32_t lane = from.lanes[first + i];
                row[i] = Format::unit(earlier[lane], whole ? later[lane] : 0);
            }
        }
        for (; l < count; ++l) {
            convert(l, from.lanes[first + l], std::integral_constant<int64_t, 1>());
        }
    }

    // All panels together, unit by unit.
    void sweep(const Operand& from, int64_t first, int64_t count, int64_t width, int64_t first_unit,
               int64_t depth, Unit* to) const {
        Unit row[sweep_lanes + widest_panel];
        std::fill_n(row + count, widest_panel, Unit(0));
        for (int64_t u = 0; u < depth; ++u) {
            convert_lanes(from, first, count, first_unit + u, row);
            if (width == 6) {  // rows of a vector tile; the others are multiples of 4
                copy_panels<6>(row, count, width, depth, to + u * width);
            } else {
                copy_panels<4>(row, count, width, depth, to + u * width);
            }
        }
    }

    // Each lane along the depth, its units one after another.
    void turn(const Operand& from, int64_t first, int64_t count, int64_t first_unit, int64_t depth,
              Unit* to) const {
        Unit units[at_once][most_rows];
        for (int64_t u = 0; u < depth; u += at_once) {
            const int64_t some = std::min(at_once, depth - u);
            for (int64_t i = 0; i < some; ++i) {
                convert_lanes(from, first, count, first_unit + u + i, units[i]);
            }
            for (int64_t l = 0; l < count; ++l) {
                for (int64_t i = 0; i < some; ++i) {
                    to[l * depth + u + i] = units[i][l];
                }
            }
        }
    }

    // One row of units into panels of `width`, so many units at a time.
    template <int64_t part>
    static void copy_panels(const Unit* row, int64_t count, int64_t width, int64_t depth,
                            Unit* to) {
        for (int64_t panel = 0; panel < count; panel += width) {
            for (int64_t l = 0; l < width; l += part) {
                std::memcpy(to + panel * depth + l, row + panel + l, part * sizeof(Unit));
            }
        }
    }

    void multiply(const GemmBlock& block) const {
        if (beta_ != 0 && beta_ != 1) {
            for_each_result(block, [&](real& number) { number *= beta_; });
        } else if (beta_ == 0 && units_ == 0) {
            for_each_result(block, [&](real& number) { number = 0; });
        }
        const TileUse<Unit> use(tile_);
        const int64_t panels = ceil_div(block.rows, rows_);
        for (int64_t first_unit = 0; first_unit < units_; first_unit += block_depth) {
            const int64_t depth = units_from(first_unit);
            const Unit* const a =
                a_is_swept_ ? packed_a_ + block_at(first_unit, M_, rows_) + block.row * depth
                            : pack_rows(block, first_unit, depth);
            const int64_t a_row = a_is_swept_ ? 1 : depth, a_unit = a_is_swept_ ? rows_ : 1;
            const bool add = first_unit > 0 || beta_ != 0;
            for (int64_t col = 0; col < N_; col += cols_) {
                const Unit* const b = packed_b_ + block_at(first_unit, N_, cols_) + col * depth;
                for (int64_t panel = 0; panel < panels; ++panel) {
                    const int64_t row = panel * rows_;
                    multiply_tile(depth, a + row * depth, a_row, a_unit, b, add, block.row + row,
                                  std::min(rows_, block.rows - row), col,
                                  std::min(cols_, N_ - col));
                }
            }
        }
    }

    template <class Body>
    void for_each_result(const GemmBlock& block, const Body& body) const {
        for (int64_t row = block.row; row < block.row + block.rows; ++row) {
            for (int64_t col = 0; col < N_; ++col) {
                body(result(row)[result_col(col)]);
            }
        }
    }

    real* result(int64_t row) const { return c_.data + (c_.rows ? c_.rows[row] : row) * c_.ld; }
    int64_t result_col(int64_t col) const { return c_.cols ? c_.cols[col] : col; }

    // The rows of a block, one after another, so that each is read along the depth.
    const Unit* pack_rows(const GemmBlock& block, int64_t first_unit, int64_t depth) const {
        const int64_t padded = ceil_div(block.rows, rows_) * rows_;
        Unit* const to = room<Unit>(2, padded * depth);
        if (swept(a_)) {
            turn(a_, block.row, block.rows, first_unit, depth, to);
        } else {
            for (int64_t row = 0; row < block.rows; ++row) {
                pack_lane(a_, block.row + row, first_unit, depth, 1, to + row * depth);
            }
        }
        std::fill_n(to + block.rows * depth, (padded - block.rows) * depth, Unit(0));
        return to;
    }

    // A tile that sticks out, or whose numbers are scattered, is computed beside the result.
    void multiply_tile(int64_t depth, const Unit* a, int64_t a_row, int64_t a_unit, const Unit* b,
                       bool add, int64_t row, int64_t rows, int64_t col, int64_t cols) const {
        if (rows == rows_ && cols == cols_ && !c_.rows && !c_.cols) {
            tile_.multiply(depth, a, a_row, a_unit, b, add, result(row) + col, c_.ld);
            return;
        }
        real beside[most_tile_numbers];
        const auto for_each = [&](const auto& body) {
            for (int64_t r = 0; r < rows; ++r) {
                real* const to = result(row + r);
                for (int64_t c = 0; c < cols; ++c) {
                    body(to[result_col(col + c)], beside[r * cols_ + c]);
                }
            }
        };
        if (add) {
            std::fill_n(beside, rows_ * cols_, real(0));
            for_each([](real number, real& sum) { sum = number; });
        }
        tile_.multiply(depth, a, a_row, a_unit, b, add, beside, cols_);
        for_each([](real& number, real sum) { number = sum; });
    }

    const Tile<Unit>& tile_ = Format::tile();
    const int64_t rows_ = tile_.rows, cols_ = tile_.cols;
    const int64_t M_, N_, K_, units_;
    const Operand& a_;
    const Operand& b_;
    const real beta_;
    const ProductResult& c_;
    const bool a_is_swept_;
    Unit* packed_b_;
    Unit* packed_a_;
};

}  // namespace

void packed_gemm([[maybe_unused]] Precision precision, int64_t M, int64_t N, int64_t K,
                 const Operand& a, const Operand& b, real beta, const ProductResult& C,
                 Borrowed<const GemmBlock&> finish) {
    if (M == 0 || N == 0) {
        return;
    }
    count_product(M * N * K);
#ifndef SMOE_DOUBLE
    if (precision == Precision::bfloat16) {
        Product<Bfloat16>(M, N, K, a, b, beta, C).run(finish);
        return;
    }
#endif
    Product<Exact>(M, N, K, a, b, beta, C).run(finish);
}

}  // namespace smoe
