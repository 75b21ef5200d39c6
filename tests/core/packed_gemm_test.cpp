// The project's own product, in both precisions, against three nested loops in double: rows and
// columns picked from larger matrices, odd sizes, NaN and infinities, rounding bit by bit, and the
// same bits for any number of threads and any range of rows. What it has in common with the
// library's product, blas_test.cpp tests.
// Read next: row_products_test.cpp.
#include "core/packed_gemm.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "core/threads.h"
#include "tests/core/products.h"

using namespace smoe;

namespace {

const auto nothing = [](const GemmBlock&) {};

// The nearest bfloat16, ties to even, by arithmetic in place of bits: 8 digits after the first.
double nearest_bfloat16(double number) {
    if (number == 0 || !std::isfinite(number)) {
        return number;
    }
    int exponent = 0;
    const double fraction = std::frexp(number, &exponent);
    return std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8);
}

// So many different numbers below `below`, rising.
std::vector<int32_t> some_of(int64_t below, int64_t count, Rng& rng) {
    std::vector<int32_t> chosen;
    for (int64_t i = 0; i < below; ++i) {
        if (int64_t(rng.below(uint64_t(below - i))) < count - int64_t(chosen.size())) {
            chosen.push_back(int32_t(i));
        }
    }
    return chosen;
}

// a (M, K) and b (K, N) as parts of larger matrices, and C (M, N) likewise.
struct Picked {
    int64_t M, N, K;
    std::vector<real> A, B, C;
    std::vector<int32_t> a_lanes, b_lanes, depths_a, depths_b, rows, cols;
    Operand a, b;
    int64_t ldc;

    // Each list is there or not by chance.
    Picked(int64_t m, int64_t n, int64_t k, Rng& rng) : M(m), N(n), K(k) {
        const auto matrix = [&](int64_t lanes, std::vector<real>& numbers, Operand& operand,
                                std::vector<int32_t>& lane_list, std::vector<int32_t>& depth_list) {
            const int64_t all_lanes = lanes + int64_t(rng.below(9));
            const int64_t all_depths = K + int64_t(rng.below(9));
            numbers = random_values(all_lanes * all_depths + 3, rng);
            const bool side_by_side = rng.below(2) == 0;
            operand = {numbers.data() + 1, side_by_side ? 1 : all_depths,
                       side_by_side ? all_lanes : 1};
            if (rng.below(2) == 0) {
                lane_list = some_of(all_lanes, lanes, rng);
                operand.lanes = lane_list.data();
            }
            if (rng.below(2) == 0) {
                depth_list = some_of(all_depths, K, rng);
                operand.depths = depth_list.data();
            }
        };
        matrix(M, A, a, a_lanes, depths_a);
        matrix(N, B, b, b_lanes, depths_b);
        ldc = N + int64_t(rng.below(5));
        C = random_values((M + 5) * ldc, rng);
        if (rng.below(2) == 0) {
            rows = some_of(M + 5, M, rng);
        }
        if (rng.below(2) == 0) {
            cols = some_of(ldc, N, rng);
        }
    }

    // What a product makes of these lanes of an operand, one lane of K numbers after the other.
    std::vector<double> factors(const Operand& from, int64_t lanes, bool rounds) const {
        std::vector<double> numbers;
        for (int64_t lane = 0; lane < lanes; ++lane) {
            for (int64_t depth = 0; depth < K; ++depth) {
                const double exact =
                    from.data[(from.lanes ? from.lanes[lane] : lane) * from.lane_stride +
                              (from.depths ? from.depths[depth] : depth) * from.depth_stride];
                numbers.push_back(rounds ? nearest_bfloat16(exact) : exact);
            }
        }
        return numbers;
    }
    int64_t place(int64_t m, int64_t n) const {
        return (rows.empty() ? m : rows[size_t(m)]) * ldc + (cols.empty() ? n : cols[size_t(n)]);
    }

    std::vector<real> result(Precision precision, real beta) const {
        std::vector<real> out = C;
        packed_gemm(precision, M, N, K, a, b, beta,
                    {out.data(), ldc, rows.empty() ? nullptr : rows.data(),
                     cols.empty() ? nullptr : cols.data()},
                    nothing);
        return out;
    }

    // Largest error relative to what the sum was made of; infinite if another number was touched.
    double error(const std::vector<real>& out, Precision precision, real beta) const {
        const bool rounds = precision == Precision::bfloat16 && sizeof(real) == sizeof(float);
        const std::vector<double> as = factors(a, M, rounds), bs = factors(b, N, rounds);
        std::vector<double> expected(C.begin(), C.end()), size(C.size(), 0);
        for (int64_t m = 0; m < M; ++m) {
            for (int64_t n = 0; n < N; ++n) {
                double& sum = expected[size_t(place(m, n))];
                double& of = size[size_t(place(m, n))];
                sum = beta == 0 ? 0 : beta * sum;
                of = 1 + std::abs(sum);
                for (int64_t k = 0; k < K; ++k) {
                    const double product = as[size_t(m * K + k)] * bs[size_t(n * K + k)];
                    sum += product;
                    of += std::abs(product);
                }
            }
        }
        double worst = 0;
        for (size_t i = 0; i < C.size(); ++i) {
            const double distance = std::abs(double(out[i]) - expected[i]);
            worst = std::max(worst, size[i] > 0     ? distance / size[i]
                                    : distance == 0 ? 0
                                                    : std::numeric_limits<double>::infinity());
        }
        return worst;
    }
};

}  // namespace

TEST_CASE("packed_gemm: any rows and columns of larger matrices, in both precisions") {
    Rng rng(11);
    for (int round = 0; round < 220; ++round) {
        const int64_t M = 1 + int64_t(rng.below(round < 200 ? 30 : 200)),
                      N = 1 + int64_t(rng.below(round < 200 ? 80 : 300)),
                      K = int64_t(rng.below(round < 200 ? 40 : 1200));
        const Picked picked(M, N, K, rng);
        for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
            for (const real beta : {real(0), real(1), real(-0.5)}) {
                CAPTURE(M);
                CAPTURE(N);
                CAPTURE(K);
                CAPTURE(int(precision));
                REQUIRE(picked.error(picked.result(precision, beta), precision, beta) <
                        product_tolerance);
            }
        }
    }
}

TEST_CASE("packed_gemm: bfloat16 is worse than float32 by the share that its digits give") {
    Rng rng(12);
    const Picked picked(40, 70, 500, rng);
    const double error = picked.error(picked.result(Precision::bfloat16, 0), Precision::float32, 0);
    if (sizeof(real) == sizeof(double)) {
        CHECK(error < product_tolerance);  // nothing is rounded in the double build
    } else {
        CHECK(error > 1e-5);
        CHECK(error < 0x1p-8);  // half a digit of each factor
    }
}

TEST_CASE("packed_gemm: the same bits for any number of threads and any range of rows") {
    const int before = threads();
    Rng rng(13);
    const int64_t M = 300, N = 150, K = 1100;
    const std::vector<real> A = random_values(M * K, rng), B = random_values(K * N, rng);
    for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
        const auto rows_of_result = [&](int64_t first, int64_t count) {
            std::vector<real> C(size_t(count * N));
            packed_gemm(precision, count, N, K, {A.data() + first * K, K, 1}, {B.data(), 1, N}, 0,
                        {C.data(), N}, nothing);
            return C;
        };
        set_threads(1);
        const std::vector<real> whole = rows_of_result(0, M);
        for (const int count : {2, 3, 4}) {
            set_threads(count);
            CHECK(rows_of_result(0, M) == whole);
        }
        for (const auto& [first, count] : {std::pair(0, 1), {7, 20}, {113, 187}}) {
            const std::vector<real> part = rows_of_result(first, count);
            CHECK(std::equal(part.begin(), part.end(), whole.begin() + first * N));
        }
        // The factors in another order of memory.
        std::vector<real> turned(A.size()), C(size_t(M * N));
        for (int64_t m = 0; m < M; ++m) {
            for (int64_t k = 0; k < K; ++k) {
                turned[size_t(k * M + m)] = A[size_t(m * K + k)];
            }
        }
        packed_gemm(precision, M, N, K, {turned.data(), 1, M}, {B.data(), 1, N}, 0, {C.data(), N},
                    nothing);
        CHECK(C == whole);
    }
    set_threads(before);
}

TEST_CASE("packed_gemm: finish sees each block once, when it is complete") {
    Rng rng(14);
    const int64_t M = 333, N = 70, K = 20;
    const std::vector<real> A = random_values(M * K, rng), B = random_values(N * K, rng);
    for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
        std::vector<real> plain(size_t(M * N)), finished(size_t(M * N));
        packed_gemm(precision, M, N, K, {A.data(), K, 1}, {B.data(), K, 1}, 0, {plain.data(), N},
                    nothing);
        packed_gemm(precision, M, N, K, {A.data(), K, 1}, {B.data(), K, 1}, 0, {finished.data(), N},
                    [&](const GemmBlock& block) {
                        for (int64_t m = block.row; m < block.row + block.rows; ++m) {
                            for (int64_t n = block.col; n < block.col + block.cols; ++n) {
                                finished[size_t(m * N + n)] += 1;
                            }
                        }
                    });
        for (real& number : plain) {
            number += 1;
        }
        CHECK(finished == plain);
    }
}

#ifndef SMOE_DOUBLE

TEST_CASE("packed_gemm: rounds each float to the nearest bfloat16, ties to even") {
    // A number times one, in each place of a pair and beside numbers of every kind.
    const auto through_product = [](float number, int64_t place) {
        std::vector<float> a(3, 0), b(3, 0);
        a[size_t(place)] = number;
        b[size_t(place)] = 1;
        float c = 0;
        packed_gemm(Precision::bfloat16, 1, 1, 3, {a.data(), 3, 1}, {b.data(), 3, 1}, 0, {&c, 1},
                    nothing);
        return c;
    };
    const auto check_one = [&](float number) {
        CAPTURE(number);
        for (const int64_t place : {0, 1, 2}) {
            REQUIRE(through_product(number, place) == float(nearest_bfloat16(number)));
        }
    };
    for (const uint32_t bits :
         {0x3f800000u, 0x3f808000u, 0x3f808001u, 0x3f818000u, 0x3f817fffu, 0x3f7fffffu, 0x00800000u,
          0x7f7f0000u, 0x7f7f7fffu, 0x3fffffffu, 0x40490fdbu}) {
        check_one(std::bit_cast<float>(bits));
        check_one(std::bit_cast<float>(bits | 0x80000000u));
    }
    Rng rng(15);
    for (int i = 0; i < 2000; ++i) {
        check_one(float(rng.normal()) * std::ldexp(1.0f, int(rng.below(200)) - 100));
    }
    constexpr float infinity = std::numeric_limits<float>::infinity();
    CHECK(through_product(infinity, 1) == infinity);
    CHECK(through_product(-infinity, 0) == -infinity);
    CHECK(through_product(std::numeric_limits<float>::max(), 1) == infinity);  // the nearest
    // Those whose bits would carry into an infinity or a zero, too.
    for (const uint32_t bits : {0x7f800001u, 0x7f80ffffu, 0x7fffffffu, 0xffffffffu, 0xff800001u}) {
        for (const int64_t place : {0, 1, 2}) {
            CHECK(std::isnan(through_product(std::bit_cast<float>(bits), place)));
        }
    }
    // Numbers below the smallest normal one may be taken for zero, and no more.
    const float denormal = std::bit_cast<float>(0x00400000u);
    CHECK((through_product(denormal, 0) == 0 || through_product(denormal, 0) == denormal));
}

TEST_CASE("packed_gemm: NaN stays in its row and column") {
    Rng rng(16);
    const int64_t M = 9, N = 70, K = 33;
    for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
        std::vector<float> A = random_values(M * K, rng), B = random_values(N * K, rng);
        A[size_t(4 * K + 32)] = NAN;
        B[size_t(65 * K + 7)] = NAN;
        std::vector<float> C(size_t(M * N));
        packed_gemm(precision, M, N, K, {A.data(), K, 1}, {B.data(), K, 1}, 0, {C.data(), N},
                    nothing);
        for (int64_t m = 0; m < M; ++m) {
            for (int64_t n = 0; n < N; ++n) {
                REQUIRE(std::isnan(C[size_t(m * N + n)]) == (m == 4 || n == 65));
            }
        }
    }
}

#endif
