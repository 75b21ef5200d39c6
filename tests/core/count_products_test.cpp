// Counted products: every entry point once, whoever multiplies in the end, on any number of
// threads, and only while somebody counts.
// Read next: tests/models/transformer/costs_test.cpp, a whole model.
#include "core/count_products.h"

#include <doctest/doctest.h>

#include <vector>

#include "core/blas.h"
#include "core/matvec.h"
#include "core/threads.h"

namespace smoe {
namespace {

// Multiplies (M, K) by (K, N).
void product(int64_t M, int64_t N, int64_t K) {
    const std::vector<real> a(size_t(M * K), 1), b(size_t(K * N), 1);
    std::vector<real> c(size_t(M * N), 0);
    gemm(Trans::no, Trans::no, M, N, K, a.data(), K, b.data(), N, 0, c.data(), N);
}

// Multiplies with `count` rows of 5 numbers for M vectors, both ways.
void row_products(int64_t M, int64_t count, const int32_t* ids) {
    const std::vector<real> matrix(50, 1), x(size_t(M * 10), 1);
    std::vector<real> y(size_t(M * 10), 0);
    const Rows rows{matrix.data(), 5, count, ids};
    multiply_rows(M, x.data(), 10, rows, y.data(), 10);
    combine_rows(M, x.data(), 10, rows, y.data(), 10);
}

template <class Body>
int64_t counted(const Body& body) {
    const CountProducts count;
    body();
    return count.multiply_adds();
}

}  // namespace

TEST_CASE("count products: the size of a matrix product, in however many blocks") {
    const int before = threads();
    for (const int pool : {1, 2, 4}) {
        set_threads(pool);
        CHECK(counted([] { product(3, 5, 7); }) == 3 * 5 * 7);
        CHECK(counted([] { product(700, 600, 90); }) == 700 * 600 * 90);
        CHECK(counted([] { parallel_chunks(10, [](int64_t) { product(3, 5, 7); }); }) == 1050);
    }
    set_threads(before);
    CHECK(counted([] { product(0, 5, 7); }) == 0);
}

TEST_CASE("count products: rows that are left out are not counted, and no product twice") {
    const int32_t ids[] = {1, 4, 9};
    for (const int64_t M : {int64_t(1), int64_t(3), few_vectors, few_vectors + 1}) {
        CAPTURE(M);
        CHECK(counted([&] { row_products(M, 10, nullptr); }) == 2 * M * 10 * 5);
        CHECK(counted([&] { row_products(M, 3, ids); }) == 2 * M * 3 * 5);
    }
}

TEST_CASE("count products: each count has what came after its beginning") {
    const CountProducts outer;
    product(2, 2, 2);
    {
        const CountProducts inner;
        product(3, 3, 3);
        CHECK(inner.multiply_adds() == 27);
    }
    product(1, 1, 1);
    CHECK(outer.multiply_adds() == 8 + 27 + 1);
}

}  // namespace smoe
