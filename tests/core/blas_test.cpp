// The matrix products against three nested loops in double: every transposition, odd sizes, leading
// dimensions wider than the matrix, every use of beta, nothing written outside, and the same bits
// for any number of threads.
// Read next: matvec_test.cpp.
#include "core/blas.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/packed_gemm.h"
#include "core/rng.h"
#include "core/threads.h"
#include "tests/core/products.h"

using namespace smoe;

namespace {

using Product = void (*)(Trans, Trans, int64_t, int64_t, int64_t, const real*, int64_t, const real*,
                         int64_t, real, real*, int64_t);

void threaded(Trans ta, Trans tb, int64_t M, int64_t N, int64_t K, const real* A, int64_t lda,
              const real* B, int64_t ldb, real beta, real* C, int64_t ldc) {
    gemm(ta, tb, M, N, K, A, lda, B, ldb, beta, C, ldc);
}

void packed(Trans ta, Trans tb, int64_t M, int64_t N, int64_t K, const real* A, int64_t lda,
            const real* B, int64_t ldb, real beta, real* C, int64_t ldc) {
    const bool a_turned = ta == Trans::yes, b_turned = tb == Trans::yes;
    packed_gemm(Precision::float32, M, N, K, {A, a_turned ? 1 : lda, a_turned ? lda : 1},
                {B, b_turned ? ldb : 1, b_turned ? 1 : ldb}, beta, {C, ldc},
                [](const GemmBlock&) {});
}

const std::pair<std::string, Product> products[] = {
    {"gemm", threaded}, {"gemm_serial", gemm_serial}, {"packed_gemm", packed}};

struct Problem {
    Trans ta, tb;
    int64_t M, N, K, spare;  // spare: leading dimensions are this much wider than need be
    std::vector<real> A, B, C;
    int64_t lda, ldb, ldc;

    Problem(Trans a, Trans b, int64_t m, int64_t n, int64_t k, int64_t extra, Rng& rng)
        : ta(a), tb(b), M(m), N(n), K(k), spare(extra) {
        const bool a_turned = ta == Trans::yes, b_turned = tb == Trans::yes;
        lda = (a_turned ? M : K) + spare;
        ldb = (b_turned ? K : N) + spare;
        ldc = N + spare;
        A = random_values((a_turned ? K : M) * lda + 1, rng);
        B = random_values((b_turned ? N : K) * ldb + 1, rng);
        C = random_values(M * ldc + 1, rng);
    }

    double a(int64_t m, int64_t k) const {
        return A[size_t(ta == Trans::yes ? k * lda + m : m * lda + k)];
    }
    double b(int64_t k, int64_t n) const {
        return B[size_t(tb == Trans::yes ? n * ldb + k : k * ldb + n)];
    }

    std::vector<real> result(Product product, real beta) const {
        std::vector<real> out = C;
        product(ta, tb, M, N, K, A.data(), lda, B.data(), ldb, beta, out.data(), ldc);
        return out;
    }

    // Largest error relative to what the sum was made of; infinite where a number outside the (M,
    // N) of C was touched, or a NaN came out.
    double error(const std::vector<real>& out, double beta) const {
        double worst = 0;
        for (int64_t i = 0; i < int64_t(C.size()); ++i) {
            const int64_t m = ldc > 0 ? i / ldc : 0, n = ldc > 0 ? i % ldc : 0;
            if (m >= M || n >= N) {
                if (std::memcmp(&out[size_t(i)], &C[size_t(i)], sizeof(real)) != 0) {
                    return std::numeric_limits<double>::infinity();
                }
                continue;
            }
            double expected = beta == 0 ? 0 : beta * C[size_t(i)], size = 1 + std::abs(expected);
            for (int64_t k = 0; k < K; ++k) {
                expected += a(m, k) * b(k, n);
                size += std::abs(a(m, k) * b(k, n));
            }
            const double error = std::abs(out[size_t(i)] - expected) / size;
            if (!(error <= worst)) {
                worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
            }
        }
        return worst;
    }
};

void for_each_transposition(const std::function<void(Trans, Trans)>& body) {
    for (const Trans ta : {Trans::no, Trans::yes}) {
        for (const Trans tb : {Trans::no, Trans::yes}) {
            CAPTURE(int(ta));
            CAPTURE(int(tb));
            body(ta, tb);
        }
    }
}

}  // namespace

TEST_CASE("blas: random small products, all transpositions, wide leading dimensions, any beta") {
    Rng rng(1);
    for (const auto& row : products) {
        const auto& product = row.second;
        CAPTURE(row.first);
        for_each_transposition([&, product = product](Trans ta, Trans tb) {
            double worst = 0;
            for (int round = 0; round < 60; ++round) {
                const auto size = [&] { return 1 + int64_t(rng.below(40)); };
                const Problem problem(ta, tb, size(), size(), size(), int64_t(rng.below(4)), rng);
                const real beta = real(std::array{0.0, 1.0, -0.5}[size_t(rng.below(3))]);
                worst = std::max(worst, problem.error(problem.result(product, beta), beta));
            }
            CHECK(worst < product_tolerance);
        });
    }
}

TEST_CASE("blas: sizes of one, and just around the tiles and blocks") {
    Rng rng(2);
    const int64_t sizes[][3] = {{1, 1, 1},    {1, 50, 3},    {50, 1, 3},
                                {7, 9, 1},    {6, 32, 256},  {5, 31, 255},
                                {7, 33, 257}, {13, 65, 512}, {6, 16, 513}};
    for (const auto& row : products) {
        const auto& product = row.second;
        CAPTURE(row.first);
        for_each_transposition([&, product = product](Trans ta, Trans tb) {
            for (const auto& [M, N, K] : sizes) {
                const Problem problem(ta, tb, M, N, K, 1, rng);
                CHECK(problem.error(problem.result(product, 1), 1) < product_tolerance);
            }
        });
    }
}

TEST_CASE("blas: empty products") {
    Rng rng(3);
    for (const auto& row : products) {
        const auto& product = row.second;
        CAPTURE(row.first);
        for_each_transposition([&, product = product](Trans ta, Trans tb) {
            for (const int64_t spare : {0, 2}) {
                const Problem no_depth(ta, tb, 3, 4, 0, spare, rng);  // beta C, or zeros
                CHECK(no_depth.error(no_depth.result(product, 0), 0) == 0);
                CHECK(no_depth.error(no_depth.result(product, 1), 1) == 0);
                const Problem no_rows(ta, tb, 0, 4, 3, spare, rng),
                    no_cols(ta, tb, 4, 0, 3, spare, rng);
                CHECK(no_rows.error(no_rows.result(product, 0), 0) == 0);
                CHECK(no_cols.error(no_cols.result(product, 0), 0) == 0);
            }
        });
    }
}

TEST_CASE("blas: beta = 0 overwrites NaN, and NaN in the factors stays visible") {
    Rng rng(4);
    const real nan = std::numeric_limits<real>::quiet_NaN();
    for (const auto& row : products) {
        const auto& product = row.second;
        CAPTURE(row.first);
        for_each_transposition([&, product = product](Trans ta, Trans tb) {
            Problem problem(ta, tb, 9, 35, 5, 0, rng);
            problem.C.assign(problem.C.size(), nan);
            CHECK(problem.error(problem.result(product, 0), 0) < product_tolerance);
            problem.A[0] = nan;
            CHECK(std::isnan(problem.result(product, 0)[0]));
        });
    }
}

TEST_CASE("blas: gemm in many blocks is right and gives the same bits for any number of threads") {
    Rng rng(5);
    const int before = threads();
    for_each_transposition([&](Trans ta, Trans tb) {
        for (const auto& [M, N, K] : {std::array<int64_t, 3>{530, 70, 90}, {130, 1030, 33}}) {
            const Problem problem(ta, tb, M, N, K, 3, rng);
            set_threads(1);
            const std::vector<real> one = problem.result(threaded, 1);
            CHECK(problem.error(one, 1) < product_tolerance);
            for (const int count : {2, 4}) {
                set_threads(count);
                const std::vector<real> more = problem.result(threaded, 1);
                CHECK(std::memcmp(one.data(), more.data(), one.size() * sizeof(real)) == 0);
            }
        }
    });
    set_threads(before);
}

TEST_CASE("blas: the own product in several panels of columns") {
    Rng rng(6);
    const Problem problem(Trans::no, Trans::yes, 8, 1100, 300, 2, rng);
    CHECK(problem.error(problem.result(packed, 0), 0) < product_tolerance);
}

TEST_CASE("blas: it has a name") {
    CHECK(!blas_name().empty());
}

TEST_CASE("gemm: finish sees each block of the result once, when it is complete") {
    Rng rng(21);
    for (const auto& [M, N, K] :
         {std::array<int64_t, 3>{700, 530, 40}, {1, 1, 1}, {90, 2000, 300}}) {
        const Problem problem(Trans::no, Trans::yes, M, N, K, 3, rng);
        const std::vector<real> plain = problem.result(threaded, 0);
        std::vector<real> out = problem.C;
        gemm(problem.ta, problem.tb, M, N, K, problem.A.data(), problem.lda, problem.B.data(),
             problem.ldb, 0, out.data(), problem.ldc, [&](const GemmBlock& block) {
                 for (int64_t m = block.row; m < block.row + block.rows; ++m) {
                     for (int64_t n = block.col; n < block.col + block.cols; ++n) {
                         out[size_t(m * problem.ldc + n)] += 1000;
                     }
                 }
             });
        int64_t wrong = 0;
        for (int64_t i = 0; i < M * problem.ldc; ++i) {
            const real added = i % problem.ldc < N ? 1000 : 0;
            wrong += out[size_t(i)] != plain[size_t(i)] + added;
        }
        CHECK(wrong == 0);
    }
}
