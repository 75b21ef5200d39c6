// Exercise: the transpose of a square matrix (N, N), in place and on all threads. The numbers of a
// column are far apart in memory, so go in small squares that stay in the cache. No two threads may
// move the same number. The test sees the result, the memory and how the work is divided, not the
// squares. Anything but a square matrix is an Error that names the shape.
// Level 2 of 3, about 40 minutes, after core_row_sums. Two hints are at the end.
#include "core/check.h"
#include "core/storage.h"
#include "core/tensor.h"
#include "tests/exercises/exercise.h"

void transpose_in_place(const smoe::Tensor& x);

using namespace smoe;

TEST_CASE("transpose_in_place: element (i, j) becomes (j, i), without a second matrix") {
    for (const int64_t N : {0, 1, 2, 7, 16, 130, 257}) {
        const Tensor x = Tensor::empty({N, N});
        std::vector<double> expected(size_t(N * N));
        for (int64_t i = 0; i < N * N; ++i) {
            expected[size_t(i)] = double(i % N * N + i / N);
        }
        for (const int count : {1, 2, 4}) {
            for (int64_t i = 0; i < x.numel(); ++i) {
                x.data()[i] = real(i);
            }
            set_threads(count);
            reset_peak();
            const int64_t before = memory_use().live;
            transpose_in_place(x);
            CHECK(memory_use().peak <= before + x.numel() * int64_t(sizeof(real)) / 4 + 4096);
            expect_elements(
                fmt::format("the matrix ({0}, {0}) of 0, 1, 2, ... with {1} threads", N, count), x,
                expected);
        }
    }
}

TEST_CASE("transpose_in_place: what is no square matrix is refused, and left as it was") {
    const Tensor x = Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6});
    CHECK_THROWS_WITH_AS(transpose_in_place(x), doctest::Contains("(2, 3)"), Error);
    expect_elements("the matrix (2, 3) after the Error", x, {1, 2, 3, 4, 5, 6});
    CHECK_THROWS_WITH_AS(transpose_in_place(Tensor::zeros({3})), doctest::Contains("(3)"), Error);
    CHECK_THROWS_WITH_AS(transpose_in_place(Tensor::zeros({2, 2, 2})),
                         doctest::Contains("(2, 2, 2)"), Error);
}

TEST_CASE("transpose_in_place: the work is divided") {
    const Tensor x = Tensor::zeros({1500, 1500});
    expect_several_threads("transpose_in_place of (1500, 1500)", [&] { transpose_in_place(x); });
}

// Hint 1: swapping (i, j) and (j, i) once is enough, so visit j > i only. Give a thread a band of
// rows `first` to `last - 1`: which pairs belong to it, so that each pair belongs to one band?
// Hint 2: a pair belongs to the band of its smaller index. Inside a band, go through the columns in
// steps of 16, and through the 16 x 16 numbers of each square before you go on to the next.
