// Products with few vectors against loops in double: every count of vectors and rows around the
// tiles, rows left out, strides, nothing else written, and bits that depend on nothing else. Rows
// are float32 and, in the float build, bfloat16.
// Read next: tests/nn/step_test.cpp.
#include "core/matvec.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "core/bfloat16.h"
#include "core/rng.h"
#include "core/row_matrix.h"
#include "tests/core/products.h"

using namespace smoe;

namespace {

constexpr real untouched = 7;

// A matrix of bfloat16 numbers, so that both precisions hold it exactly, some of its rows, and as many
// vectors and factors.
struct Problem {
    int64_t M, all, width, ldx, lda;
    std::vector<real> matrix, x, a;
    std::vector<int32_t> ids;
    bool with_ids;
    RowMatrix stored, for_sums;
    double tolerance;

    Problem(int64_t vectors, int64_t height, int64_t cols, bool some, Rng& rng,
            Precision precision = Precision::float32)
        : M(vectors),
          all(height),
          width(cols),
          ldx(cols + int64_t(rng.below(3))),
          lda(height + int64_t(rng.below(3))),
          matrix(random_values(all * width, rng)),
          x(random_values(M * ldx, rng)),
          a(random_values(M * lda, rng)),
          with_ids(some),
          tolerance(product_tolerance) {
        for (int32_t id = 0; id < all; ++id) {
            if (!some || rng.below(10) < 6) {
                ids.push_back(id);
            }
        }
        for (real& number : matrix) {
            number = nearest_bfloat16(float(number));
        }
        const Tensor numbers = Tensor::from({all, width}, matrix);
        if (precision == Precision::bfloat16 && sizeof(real) == sizeof(float)) {
            tolerance += std::ldexp(1, -16);  // what two bfloat16 leave of a vector's number
        }
        stored = RowMatrix(numbers, precision);
        for_sums = RowMatrix(numbers, precision, RowMatrix::For::combine_rows);
    }

    Rows rows(const RowMatrix& of) const {
        Rows some = of.rows(0, all);
        some.count = int64_t(ids.size());
        some.ids = with_ids ? ids.data() : nullptr;
        return some;
    }
    std::vector<real> multiplied(int64_t first, int64_t count) const {
        std::vector<real> y(size_t(count * lda), untouched);
        multiply_rows(count, x.data() + first * ldx, ldx, rows(stored), y.data(), lda);
        return y;
    }
    std::vector<real> combined(int64_t first, int64_t count) const {
        std::vector<real> y(size_t(count * ldx), untouched);
        combine_rows(count, a.data() + first * lda, lda, rows(for_sums), y.data(), ldx);
        return y;
    }
};

bool near(const Problem& p, double value, double expected, double size) {
    return std::abs(value - expected) <= p.tolerance * (1 + size);
}

bool multiplied_right(const Problem& p) {
    const std::vector<real> y = p.multiplied(0, p.M);
    bool right = true;
    for (int64_t m = 0; m < p.M; ++m) {
        for (int64_t r = 0; r < p.lda; ++r) {
            double expected = 0, size = 0;
            for (int64_t i = 0; r < p.all && i < p.width; ++i) {
                const double term =
                    double(p.x[size_t(m * p.ldx + i)]) * double(p.matrix[size_t(r * p.width + i)]);
                expected += term;
                size += std::abs(term);
            }
            const bool wanted = std::find(p.ids.begin(), p.ids.end(), r) != p.ids.end();
            const real value = y[size_t(m * p.lda + r)];
            right = right && (wanted ? near(p, value, expected, size) : value == untouched);
        }
    }
    return right;
}

bool combined_right(const Problem& p) {
    const std::vector<real> y = p.combined(0, p.M);
    bool right = true;
    for (int64_t m = 0; m < p.M; ++m) {
        for (int64_t i = 0; i < p.ldx; ++i) {
            double expected = 0, size = 0;
            for (const int32_t r : p.ids) {
                const double term = i < p.width ? double(p.a[size_t(m * p.lda + r)]) *
                                                      double(p.matrix[size_t(r * p.width + i)])
                                                : 0;
                expected += term;
                size += std::abs(term);
            }
            const real value = y[size_t(m * p.ldx + i)];
            right = right && (i < p.width ? near(p, value, expected, size) : value == untouched);
        }
    }
    return right;
}

bool same_bits(const real* a, const real* b, int64_t count) {
    return std::memcmp(a, b, size_t(count) * sizeof(real)) == 0;
}

}  // namespace

TEST_CASE("matvec: random sizes, all rows and some, few vectors and many") {
    Rng rng(1);
    for (int round = 0; round < 400; ++round) {
        const int64_t vectors =
            round % 10 == 0 ? few_vectors + 1 + int64_t(rng.below(9)) : 1 + int64_t(rng.below(20));
        const Problem problem(vectors, 1 + int64_t(rng.below(30)), 1 + int64_t(rng.below(80)),
                              round % 2 == 0, rng,
                              round % 3 == 0 ? Precision::bfloat16 : Precision::float32);
        CAPTURE(problem.M);
        CAPTURE(problem.all);
        CAPTURE(problem.width);
        CAPTURE(problem.with_ids);
        CHECK(multiplied_right(problem));
        CHECK(combined_right(problem));
    }
}

TEST_CASE("matvec: one vector and wide rows, as in generation") {
    Rng rng(2);
    for (const int64_t width : {512, 515, 5000}) {
        for (const bool some : {false, true}) {
            for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
                const Problem problem(1, 70, width, some, rng, precision);
                CHECK(multiplied_right(problem));
                CHECK(combined_right(problem));
            }
        }
    }
}

TEST_CASE("matvec: a part of the rows, from any of them on") {
    Rng rng(4);
    for (int round = 0; round < 60; ++round) {
        const Precision precision = round % 2 == 0 ? Precision::float32 : Precision::bfloat16;
        const Problem problem(1 + int64_t(rng.below(20)), 2 + int64_t(rng.below(100)),
                              1 + int64_t(rng.below(80)), false, rng, precision);
        const int64_t first = int64_t(rng.below(uint64_t(problem.all - 1))),
                      count = 1 + int64_t(rng.below(uint64_t(problem.all - first)));
        CAPTURE(first);
        CAPTURE(count);
        const std::vector<real> all = problem.multiplied(0, problem.M);
        std::vector<real> part(size_t(problem.M * problem.lda), untouched);
        multiply_rows(problem.M, problem.x.data(), problem.ldx, problem.stored.rows(first, count),
                      part.data(), problem.lda);
        bool same = true;
        for (int64_t m = 0; m < problem.M; ++m) {
            const real* const row = part.data() + m * problem.lda;
            same = same && same_bits(row, all.data() + m * problem.lda + first, count) &&
                   std::count(row + count, row + problem.lda, untouched) == problem.lda - count;
        }
        CHECK(same);
        // The sum over all rows is that of three parts.
        std::vector<real> sums(size_t(problem.M * problem.ldx), 0), some = sums;
        for (const auto& [begin, end] : {std::pair<int64_t, int64_t>{0, first},
                                         {first, first + count},
                                         {first + count, problem.all}}) {
            combine_rows(problem.M, problem.a.data() + begin, problem.lda,
                         problem.for_sums.rows(begin, end - begin), some.data(), problem.ldx);
            for (size_t i = 0; i < sums.size(); ++i) {
                sums[i] += some[i];
            }
        }
        const std::vector<real> whole = problem.combined(0, problem.M);
        for (int64_t m = 0; m < problem.M; ++m) {
            for (int64_t i = 0; i < problem.width; ++i) {
                const auto at = size_t(m * problem.ldx + i);
                same = same && near(problem, sums[at], whole[at], double(problem.all));
            }
        }
        CHECK(same);
    }
}

TEST_CASE("matvec: infinities and NaN stay what they are") {
    for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
        const Tensor ones = Tensor::full({40, 40}, 1);
        const RowMatrix rows(ones, precision);
        const RowMatrix for_sums(ones, precision, RowMatrix::For::combine_rows);
        constexpr real infinity = std::numeric_limits<real>::infinity();
        std::vector<real> x(3 * 40, 1), y(3 * 40), sums(3 * 40);
        x[7] = infinity;
        x[40 + 7] = std::numeric_limits<real>::quiet_NaN();
        multiply_rows(3, x.data(), 40, rows.rows(0, 40), y.data(), 40);
        combine_rows(3, x.data(), 40, for_sums.rows(0, 40), sums.data(), 40);
        for (const std::vector<real>& result : {y, sums}) {
            CHECK(result[0] == infinity);
            CHECK(std::isnan(result[40 + 39]));
            CHECK(result[80] == 40);
        }
    }
}

TEST_CASE("matvec: no rows and no vectors") {
    const real matrix[] = {1, 2};
    const int32_t id = 0;
    real y[] = {untouched, untouched};
    multiply_rows(0, matrix, 2, {matrix, 2, 1}, y, 1);
    combine_rows(0, matrix, 1, {matrix, 2, 1}, y, 2);
    multiply_rows(1, matrix, 2, {matrix, 2, 0, &id}, y, 1);
    CHECK(y[0] == untouched);
    combine_rows(1, matrix, 1, {matrix, 2, 0, &id}, y, 2);
    CHECK(y[0] == 0);
    CHECK(y[1] == 0);
}

TEST_CASE("matvec: bits depend neither on the other vectors nor on rows without a part") {
    Rng rng(3);
    for (int round = 0; round < 60; ++round) {
        const Precision precision = round % 2 == 0 ? Precision::float32 : Precision::bfloat16;
        Problem problem(1 + int64_t(rng.below(uint64_t(few_vectors))), 1 + int64_t(rng.below(30)),
                        1 + int64_t(rng.below(80)), true, rng, precision);
        for (const int32_t id : problem.ids) {
            if (rng.below(2) == 0) {  // each vector does without some of the rows
                problem.a[size_t(int64_t(rng.below(uint64_t(problem.M))) * problem.lda + id)] = 0;
            }
        }
        const std::vector<real> products = problem.multiplied(0, problem.M);
        const std::vector<real> sums = problem.combined(0, problem.M);
        for (int64_t m = 0; m < problem.M; ++m) {
            CHECK(same_bits(problem.multiplied(m, 1).data(), products.data() + m * problem.lda,
                            problem.lda));
            Problem needed = problem;
            std::erase_if(needed.ids,
                          [&](int32_t id) { return problem.a[size_t(m * problem.lda + id)] == 0; });
            CHECK(same_bits(needed.combined(m, 1).data(), sums.data() + m * problem.ldx,
                            problem.ldx));
        }
        // All rows or a list of all rows, read in two ways.
        Problem everything(problem.M, problem.all, problem.width, false, rng, precision);
        const std::vector<real> one_way = everything.multiplied(0, 1);
        everything.with_ids = true;
        CHECK(everything.multiplied(0, 1) == one_way);
    }
}
