// Each tile that this processor can run against sums in double: along the depth and across it, at
// depths that fill its registers and that do not, into a result and on top of one. With few rows, or
// with the depth cut where a tile says that it may be, the bits are the same.
// Read next: packed_gemm_test.cpp.
#include "core/tiles/tile.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "core/bfloat16.h"
#include "core/rng.h"

using namespace smoe;

namespace {

std::vector<double> numbers_of(real unit) {
    return {double(unit)};
}

real random_unit(Rng& rng, real) {
    return real(rng.uniform() - 0.5);
}

#ifndef SMOE_DOUBLE
std::vector<double> numbers_of(uint32_t pair) {
    return {std::bit_cast<float>(pair << 16), std::bit_cast<float>(pair & 0xffff0000u)};
}

uint32_t random_unit(Rng& rng, uint32_t) {
    return bfloat16_pair(float(rng.uniform() - 0.5), float(rng.uniform() - 0.5));
}
#endif

template <class Unit>
void check_tile(const Tile<Unit>& tile) {
    CAPTURE(std::string(tile.name));
    Rng rng(3);
    REQUIRE(tile.rows * tile.cols <= most_tile_numbers);
    REQUIRE(tile.cols % 4 == 0);
    REQUIRE(tile.rows % 2 == 0);
    REQUIRE(tile.few_rows % 2 == 0);
    REQUIRE(tile.few_rows < tile.rows);
    REQUIRE(tile.narrow_cols <= tile.cols);
    for (const int64_t depth : {0, 1, 2, 15, 16, 17, 64, 77}) {
        for (const bool along : {true, false}) {
            if (tile.along_depth && !along) {
                continue;
            }
            for (const bool add : {false, true}) {
                CAPTURE(depth);
                CAPTURE(along);
                CAPTURE(add);
                const int64_t a_row = along ? depth + 3 : 1, a_unit = along ? 1 : tile.rows;
                const int64_t ldc = tile.cols + 5;
                std::vector<Unit> a(size_t((depth + 3) * tile.rows)), b(size_t(depth * tile.cols));
                for (std::vector<Unit>* const units : {&a, &b}) {
                    for (Unit& unit : *units) {
                        unit = random_unit(rng, Unit());
                    }
                }
                std::vector<real> before(size_t(ldc * tile.rows));
                for (real& number : before) {
                    number = real(rng.uniform());
                }
                std::vector<real> c = before;
                {
                    const TileUse<Unit> use(tile);
                    tile.multiply(depth, a.data(), a_row, a_unit, b.data(), add, c.data(), ldc);
                }
                const auto same_rows = [&](const std::vector<real>& other, int64_t rows) {
                    return std::equal(c.begin(), c.begin() + rows * ldc, other.begin());
                };
                std::vector<real> few = before, in_two = before, narrow = before;
                std::vector<Unit> narrow_b;
                for (int64_t u = 0; u < depth; ++u) {
                    const auto row = b.begin() + u * tile.cols;
                    narrow_b.insert(narrow_b.end(), row, row + tile.narrow_cols);
                }
                {
                    const TileUse<Unit> use(tile);
                    tile.multiply_few(depth, a.data(), a_row, a_unit, b.data(), add, few.data(),
                                      ldc);
                    tile.multiply_narrow(depth, a.data(), a_row, a_unit, narrow_b.data(), add,
                                         narrow.data(), ldc);
                    const int64_t cut = tile.step == 0 ? 0 : depth / 3 / tile.step * tile.step;
                    tile.multiply(cut, a.data(), a_row, a_unit, b.data(), add, in_two.data(), ldc);
                    tile.multiply(depth - cut, a.data() + cut * a_unit, a_row, a_unit,
                                  b.data() + cut * tile.cols, true, in_two.data(), ldc);
                }
                CHECK(same_rows(few, tile.few_rows));
                CHECK(std::equal(few.begin() + tile.few_rows * ldc, few.end(),
                                 before.begin() + tile.few_rows * ldc));
                CHECK(same_rows(in_two, tile.rows));
                for (int64_t row = 0; row < tile.rows; ++row) {
                    const auto part = [&](const std::vector<real>& from, int64_t begin) {
                        return from.begin() + row * ldc + begin;
                    };
                    CHECK(std::equal(part(c, 0), part(c, tile.narrow_cols), part(narrow, 0)));
                    CHECK(std::equal(part(before, tile.narrow_cols), part(before, ldc),
                                     part(narrow, tile.narrow_cols)));
                }
                double worst = 0;
                for (int64_t row = 0; row < tile.rows; ++row) {
                    for (int64_t col = 0; col < ldc; ++col) {
                        const size_t at = size_t(row * ldc + col);
                        double sum = add || col >= tile.cols ? double(before[at]) : 0;
                        for (int64_t u = 0; col < tile.cols && u < depth; ++u) {
                            const auto left = numbers_of(a[size_t(row * a_row + u * a_unit)]);
                            const auto right = numbers_of(b[size_t(u * tile.cols + col)]);
                            for (size_t i = 0; i < left.size(); ++i) {
                                sum += left[i] * right[i];
                            }
                        }
                        const double distance = std::abs(double(c[at]) - sum);
                        worst = distance <= worst ? worst : distance;  // NaN, too
                    }
                }
                CHECK(worst < (sizeof(real) == sizeof(float) ? 1e-5 : 1e-14));
            }
        }
    }
}

}  // namespace

TEST_CASE("tiles: each that this processor can run gives the sums") {
    check_tile(real_tile());
#ifndef SMOE_DOUBLE
    for (const Tile<uint32_t>* const tile : bfloat16_tiles()) {
        check_tile(*tile);
    }
#endif
}
