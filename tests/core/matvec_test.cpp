// Products with few vectors against loops in double: every count of vectors and rows around the
// tiles, rows left out, strides, nothing else written, and bits that depend on nothing else. Rows
// are float32 and, in the float build, bfloat16.
// Read next: tests/nn/step_test.cpp.
#include "core/matvec.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
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
    RowMatrix stored;

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
          with_ids(some) {
        for (int32_t id = 0; id < all; ++id) {
            if (!some || rng.below(10) < 6) {
                ids.push_back(id);
            }
        }
        for (real& number : matrix) {
            number = nearest_bfloat16(float(number));
        }
        stored = RowMatrix(Tensor::from({all, width}, matrix), precision);
    }

    Rows rows() const {
        Rows some = stored.rows(0, all);
        some.count = int64_t(ids.size());
        some.ids = with_ids ? ids.data() : nullptr;
        return some;
    }
    std::vector<real> multiplied(int64_t first, int64_t count) const {
        std::vector<real> y(size_t(count * lda), untouched);
        multiply_rows(count, x.data() + first * ldx, ldx, rows(), y.data(), lda);
        return y;
    }
    std::vector<real> combined(int64_t first, int64_t count) const {
        std::vector<real> y(size_t(count * ldx), untouched);
        combine_rows(count, a.data() + first * lda, lda, rows(), y.data(), ldx);
        return y;
    }
};

bool near(double value, double expected, double size) {
    return std::abs(value - expected) <= product_tolerance * (1 + size);
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
            right = right && (wanted ? near(value, expected, size) : value == untouched);
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
            right = right && (i < p.width ? near(value, expected, size) : value == untouched);
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
