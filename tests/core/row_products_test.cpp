// Products of rows that stand anywhere, against loops in double, in both precisions: every count of
// rows and columns around the tiles, picked rows, results that overwrite and add, nothing else
// written.
// Read next: tests/autograd/op_table_transformer.cpp.
#include "core/row_products.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/bfloat16.h"
#include "core/count_products.h"
#include "core/rng.h"
#include "core/scratch.h"
#include "tests/core/products.h"

namespace smoe {
namespace {

Tensor random_matrix(int64_t rows, int64_t cols, Rng& rng) {
    return Tensor::from({rows, cols}, random_values(rows * cols, rng));
}

// Of about twice as many rows, `count` that rise.
std::vector<int32_t> some_rows(int64_t count, Rng& rng) {
    std::vector<int32_t> ids;
    for (int64_t r = 0; r < count; ++r) {
        ids.push_back(int32_t(2 * r + int64_t(rng.below(2))));
    }
    return ids;
}

// What was left in working memory must not matter.
void poison_scratch() {
    constexpr int64_t count = 1 << 15;
    for (const size_t slot : {0, 1, 2}) {
        std::fill_n(scratch(slot, count), count, std::numeric_limits<real>::quiet_NaN());
    }
}

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

struct Sums {
    std::vector<Sum> sums;

    explicit Sums(const Tensor& before) {
        for (int64_t i = 0; i < before.numel(); ++i) {
            const auto number = double(before.data()[i]);
            sums.push_back({number, std::abs(number)});
        }
    }
    bool are(const Tensor& found) const {
        bool right = true;
        for (size_t i = 0; i < sums.size(); ++i) {
            right = right && sums[i].is(found.data()[i]);
        }
        return right;
    }
};

// Everything at random but the sizes.
struct Trial {
    Precision precision;
    int64_t count, depth, lanes;
    Rng& rng;
    std::vector<int32_t> ids = some_rows(count, rng);

    double factor(real number) const {
        return double(rounds_to_bfloat16(precision) ? real(nearest_bfloat16(float(number)))
                                                    : number);
    }

    PickedRows picked(const Tensor& matrix) const {
        PickedRows rows(precision, matrix);
        rows.prepare(0, matrix.size(0));
        return rows;
    }

    // Three matrices (depth, lanes), of which the second is wanted; its rows stand along the depth
    // or along the lanes.
    SmallMatrices small(const Tensor& matrix, bool turned) const {
        SmallMatrices result(precision, 3, depth, lanes);
        const Tensor other = random_matrix(depth, lanes, rng);
        std::vector<real> along(size_t(depth * lanes));
        for (int64_t k = 0; k < depth; ++k) {
            for (int64_t l = 0; l < lanes; ++l) {
                along[size_t(l * depth + k)] = matrix.data()[k * lanes + l];
            }
        }
        result.set(1, turned ? Operand{along.data(), depth, 1} : Operand{matrix.data(), 1, lanes});
        result.set(0, {other.data(), 1, lanes});
        result.set(2, {other.data(), 1, lanes});
        return result;
    }

    bool multiplies(bool turned) const {
        const Tensor a = random_matrix(2 * count + 1, depth, rng);
        const Tensor b = random_matrix(depth, lanes, rng), y = random_matrix(count + 1, lanes, rng);
        Sums expected(y);
        for (int64_t r = 0; r < count; ++r) {
            for (int64_t l = 0; l < lanes; ++l) {
                Sum& sum = expected.sums[size_t(r * lanes + l)];
                sum = {};
                for (int64_t k = 0; k < depth; ++k) {
                    sum.add(factor(a.data()[ids[size_t(r)] * depth + k]) *
                            factor(b.data()[k * lanes + l]));
                }
            }
        }
        multiply_rows(picked(a), ids, small(b, turned), 1, y.data());
        return expected.are(y);
    }

    bool adds(bool turned) const {
        const Tensor a = random_matrix(count, depth, rng), b = random_matrix(depth, lanes, rng);
        const Tensor y = random_matrix(2 * count + 1, lanes, rng);
        Sums expected(y);
        for (int64_t r = 0; r < count; ++r) {
            for (int64_t l = 0; l < lanes; ++l) {
                for (int64_t k = 0; k < depth; ++k) {
                    expected.sums[size_t(ids[size_t(r)] * lanes + l)].add(
                        factor(a.data()[r * depth + k]) * factor(b.data()[k * lanes + l]));
                }
            }
        }
        add_products(a.data(), small(b, turned), 1, ids, y.data());
        return expected.are(y);
    }

    bool adds_outer() const {
        const Tensor a = random_matrix(count, depth, rng);
        const Tensor b = random_matrix(2 * count + 1, lanes, rng);
        const Tensor c = random_matrix(depth + 1, lanes, rng);
        Sums expected(c);
        for (int64_t r = 0; r < count; ++r) {
            for (int64_t y = 0; y < depth; ++y) {
                for (int64_t l = 0; l < lanes; ++l) {
                    expected.sums[size_t(y * lanes + l)].add(
                        factor(a.data()[r * depth + y]) *
                        factor(b.data()[ids[size_t(r)] * lanes + l]));
                }
            }
        }
        add_outer_products(a.data(), depth, picked(b), ids, c.data());
        return expected.are(c);
    }
};

constexpr Precision precisions[] = {Precision::float32, Precision::bfloat16};

}  // namespace

TEST_CASE("row products: random sizes, in both precisions") {
    Rng rng(1);
    for (int round = 0; round < 300; ++round) {
        for (const Precision precision : precisions) {
            const Trial trial{precision, int64_t(rng.below(round % 10 == 0 ? 300 : 40)),
                              1 + int64_t(rng.below(90)), 1 + int64_t(rng.below(90)), rng};
            CAPTURE(name_of(precision));
            CAPTURE(trial.count);
            CAPTURE(trial.depth);
            CAPTURE(trial.lanes);
            poison_scratch();
            CHECK(trial.multiplies(round % 2 == 0));
            CHECK(trial.adds(round % 2 == 0));
            CHECK(trial.adds_outer());
        }
    }
}

TEST_CASE("row products: each is counted once") {
    Rng rng(2);
    for (const Precision precision : precisions) {
        const Trial trial{precision, 70, 6, 40, rng};
        const CountProducts count;
        CHECK(trial.multiplies(false));
        CHECK(count.multiply_adds() == 70 * 6 * 40);
        CHECK(trial.adds(false));
        CHECK(count.multiply_adds() == 2 * 70 * 6 * 40);
        CHECK(trial.adds_outer());
        CHECK(count.multiply_adds() == 3 * 70 * 6 * 40);
    }
}

}  // namespace smoe
