// exp against the library's, over its whole range and outside; sums and dot products of every
// length around the vector widths; column sums and threads.
// Read next: blas_test.cpp.
#include "core/vector_math.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "core/threads.h"
#include "tests/core/products.h"

using namespace smoe;

namespace {

constexpr double tolerance = sizeof(real) == 8 ? 1e-14 : 1e-5;

}  // namespace

TEST_CASE("fast_exp: relative error below 2e-7 from -87.3 to 88.3, in float") {
    double worst = 0;
    for (float x = -87.3f; x <= 88.3f; x += 0.00037f) {
        const double exact = std::exp(double(x));
        worst = std::max(worst, std::abs(fast_exp(x) - exact) / exact);
    }
    for (float x = 1e-12f; x < 1; x *= 1.7f) {  // close to 0, where e^x is close to 1
        worst = std::max({worst, std::abs(fast_exp(x) - std::exp(double(x))) / std::exp(double(x)),
                          std::abs(fast_exp(-x) - std::exp(-double(x))) / std::exp(-double(x))});
    }
    CHECK(worst < 2e-7);
    CHECK(worst > 1e-9);  // it is the polynomial that was measured, not the library
    CHECK(fast_exp(0.0f) == 1.0f);
    CHECK(fast_exp(-0.0f) == 1.0f);
}

TEST_CASE("fast_exp: outside its range, in float") {
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK(fast_exp(-87.4f) == 0.0f);
    CHECK(fast_exp(-1e30f) == 0.0f);
    CHECK(fast_exp(-infinity) == 0.0f);
    CHECK(fast_exp(-87.29f) > 0.0f);
    // Beyond what float can hold it stays at a huge number, also for infinity.
    for (const float x : {88.4f, 1000.0f, infinity}) {
        CHECK(fast_exp(x) >= 2e38f);
        CHECK(std::isfinite(fast_exp(x)));
    }
}

TEST_CASE("fast_exp: NaN stays NaN, whatever its sign and payload") {
    for (const uint32_t bits :
         {0x7FC00000u, 0xFFC00000u, 0x7FC00001u, 0x7FC001FFu, 0xFFFFFFFFu, 0x7F800001u}) {
        CAPTURE(bits);
        CHECK(std::isnan(fast_exp(std::bit_cast<float>(bits))));
    }
    CHECK(std::isnan(fast_exp(std::numeric_limits<double>::quiet_NaN())));
    CHECK(fast_exp(1.0) == std::exp(1.0));
}

TEST_CASE("vector_math: sum, dot, axpy, largest, argmax of every short length") {
    Rng rng(1);
    for (int64_t count = 0; count <= 70; ++count) {
        const std::vector<real> x = random_values(count, rng), y = random_values(count, rng);
        std::vector<real> z = y;
        double total = 0, product = 0;
        size_t most = 0;
        for (size_t i = 0; i < x.size(); ++i) {
            total += x[i];
            product += double(x[i]) * y[i];
            most = x[i] > x[most] ? i : most;
        }
        axpy(count, real(0.5), x.data(), z.data());
        CAPTURE(count);
        CHECK(std::abs(sum(x.data(), count) - total) < tolerance * 10);
        CHECK(std::abs(dot(x.data(), y.data(), count) - product) < tolerance * 10);
        for (size_t i = 0; i < x.size(); ++i) {
            REQUIRE(std::abs(z[i] - (y[i] + 0.5 * x[i])) < tolerance);
        }
        if (count > 0) {
            CHECK(largest(x.data(), count) == x[most]);
            CHECK(argmax(x.data(), count) == int64_t(most));
        }
    }
    const real ties[] = {1, 3, 2, 3};
    CHECK(argmax(ties, 4) == 1);
    const real negative[] = {-5, -3, -4};
    CHECK(largest(negative, 3) == -3);
}

TEST_CASE("vector_math: exp_and_sum") {
    Rng rng(3);
    for (const int64_t count : {1, 5, 16, 37}) {
        std::vector<real> x = random_values(count, rng);
        const std::vector<real> before = x;
        const real total = exp_and_sum(x.data(), count, real(0.5), real(1.25));
        double expected = 0;
        for (size_t i = 0; i < x.size(); ++i) {
            const double value = std::exp(0.5 * (before[i] - 1.25));
            REQUIRE(std::abs(x[i] - value) < tolerance * value);
            expected += value;
        }
        CHECK(std::abs(total - expected) < tolerance * expected);
    }
}

TEST_CASE("vector_math: column sums are added, and have the same bits for any number of threads") {
    Rng rng(4);
    const int before = threads();
    for (const auto& [rows, cols] : {std::pair<int64_t, int64_t>{0, 3},
                                     {1, 1},
                                     {5, 0},
                                     {7, 3},
                                     {5000, 17},
                                     {100, 1000},
                                     {40000, 1}}) {
        const std::vector<real> x = random_values(rows * cols, rng);
        std::vector<real> first;
        for (const int count : {1, 2, 4}) {
            set_threads(count);
            std::vector<real> out(size_t(cols), real(10));
            add_column_sums(x.data(), rows, cols, out.data());
            if (count == 1) {
                first = out;
                for (int64_t c = 0; c < cols; ++c) {
                    double expected = 10;
                    for (int64_t r = 0; r < rows; ++r) {
                        expected += x[size_t(r * cols + c)];
                    }
                    REQUIRE(std::abs(out[size_t(c)] - expected) < tolerance * 300);
                }
            }
            CHECK(out == first);
        }
    }
    set_threads(before);
}

TEST_CASE("vector_math: a chunk of rows is never empty") {
    CHECK(row_grain(0) == elementwise_grain);
    CHECK(row_grain(1) == elementwise_grain);
    CHECK(row_grain(elementwise_grain * 5) == 1);
}
