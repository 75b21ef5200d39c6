// Products of rows that stand anywhere, against loops in double: every count of rows and columns
// around the tiles, rows in order and picked, results that overwrite and add, nothing else written.
// Read next: tests/autograd/op_table_transformer.cpp.
#include "core/row_products.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "core/count_products.h"
#include "core/rng.h"
#include "tests/core/products.h"

using namespace smoe;

namespace {

// `all` rows of which some, rising, are picked, or the first ones taken in order.
struct Picked {
    int64_t all, width;
    std::vector<real> matrix;
    std::vector<int32_t> ids;
    bool with_ids;

    Picked(int64_t count, int64_t cols, bool some, Rng& rng)
        : all(some ? 2 * count : count),
          width(cols),
          matrix(random_values(all * cols, rng)),
          with_ids(some) {
        for (int64_t r = 0; r < count; ++r) {
            ids.push_back(int32_t(some ? 2 * r + int64_t(rng.below(2)) : r));
        }
    }

    Rows rows() const {
        return {matrix.data(), width, int64_t(ids.size()), with_ids ? ids.data() : nullptr};
    }
    double at(size_t row, int64_t col) const {
        return double(matrix[size_t(ids[row] * width + col)]);
    }
};

// A sum of products and how large its terms are.
struct Sum {
    double value = 0, size = 0;

    void add(double term) {
        value += term;
        size += std::abs(term);
    }
    bool is(real found) const {
        return std::abs(double(found) - value) <= product_tolerance * (1 + size);
    }
};

bool multiplied_right(const Picked& a, int64_t n, bool add, const Picked& places, Rng& rng) {
    const std::vector<real> b = random_values(a.width * n, rng);
    std::vector<real> y = random_values(places.all * n, rng);
    std::vector<Sum> expected;
    for (const real before : y) {
        expected.push_back({double(before), std::abs(double(before))});
    }
    for (size_t r = 0; r < a.ids.size(); ++r) {
        for (int64_t j = 0; j < n; ++j) {
            Sum& sum = expected[size_t(places.ids[r] * n + j)];
            sum = add ? sum : Sum{};
            for (int64_t k = 0; k < a.width; ++k) {
                sum.add(a.at(r, k) * double(b[size_t(k * n + j)]));
            }
        }
    }
    multiply_by_matrix(a.rows(), b.data(), n, add, {y.data(), places.rows().ids});
    bool right = true;
    for (size_t i = 0; i < y.size(); ++i) {
        right = right && expected[i].is(y[i]);
    }
    return right;
}

bool outer_right(const Picked& a, const Picked& b, int64_t ldc, Rng& rng) {
    std::vector<real> c = random_values(a.width * ldc, rng);
    std::vector<Sum> expected;
    for (const real before : c) {
        expected.push_back({double(before), std::abs(double(before))});
    }
    for (size_t r = 0; r < a.ids.size(); ++r) {
        for (int64_t i = 0; i < a.width; ++i) {
            for (int64_t j = 0; j < b.width; ++j) {
                expected[size_t(i * ldc + j)].add(a.at(r, i) * b.at(r, j));
            }
        }
    }
    add_outer_products(a.rows(), b.rows(), c.data(), ldc);
    bool right = true;
    for (size_t i = 0; i < c.size(); ++i) {
        right = right && expected[i].is(c[i]);
    }
    return right;
}

}  // namespace

TEST_CASE("row products: random sizes, rows in order and picked") {
    Rng rng(1);
    for (int round = 0; round < 300; ++round) {
        const int64_t count = int64_t(rng.below(round % 10 == 0 ? 200 : 20));
        const int64_t K = 1 + int64_t(rng.below(90)), n = 1 + int64_t(rng.below(90));
        const bool pick_a = rng.below(2) == 0, pick_b = rng.below(2) == 0;
        const Picked a(count, K, pick_a, rng), b(count, n, pick_b, rng);
        CAPTURE(count);
        CAPTURE(K);
        CAPTURE(n);
        CAPTURE(pick_a);
        CAPTURE(pick_b);
        CHECK(multiplied_right(a, n, round % 2 == 0, b, rng));
        CHECK(outer_right(a, b, n + int64_t(rng.below(3)), rng));
    }
}

TEST_CASE("row products: each is counted once") {
    Rng rng(2);
    const Picked a(70, 5, true, rng), b(70, 40, false, rng);
    std::vector<real> y(70 * 40), c(5 * 40);
    const CountProducts count;
    multiply_by_matrix(a.rows(), b.matrix.data(), 40, false, {y.data()});
    CHECK(count.multiply_adds() == 70 * 5 * 40);
    add_outer_products(a.rows(), b.rows(), c.data(), 40);
    CHECK(count.multiply_adds() == 2 * 70 * 5 * 40);
}
