// Exercise: the transpose of a square matrix (N, N), in place and on all threads. The numbers of a
// column are far apart in memory, so go in small squares that stay in the cache. No two threads may
// move the same number. Anything but a square matrix is an Error that names the shape.
#include "core/check.h"
#include "core/storage.h"
#include "core/tensor.h"
#include "tests/exercises/exercise.h"

void transpose_in_place(const smoe::Tensor& x);

using namespace smoe;

TEST_CASE("transpose_in_place: element (i, j) becomes (j, i), without a second matrix") {
    for (const int64_t N : {0, 1, 2, 7, 16, 130, 257}) {
        const Tensor x = Tensor::empty({N, N});
        for (const int count : {1, 2, 4}) {
            for (int64_t i = 0; i < x.numel(); ++i) {
                x.data()[i] = real(i);
            }
            set_threads(count);
            reset_peak();
            const int64_t before = memory_use().live;
            transpose_in_place(x);
            CHECK(memory_use().peak <= before + x.numel() * int64_t(sizeof(real)) / 4 + 4096);
            int64_t wrong = 0;
            for (int64_t i = 0; i < N; ++i) {
                for (int64_t j = 0; j < N; ++j) {
                    wrong += x.data()[j * N + i] != real(i * N + j);
                }
            }
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("transpose_in_place: what is no square matrix is refused, and left as it was") {
    const Tensor x = Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6});
    CHECK_THROWS_WITH_AS(transpose_in_place(x), doctest::Contains("(2, 3)"), Error);
    CHECK(x.data()[1] == 2);
    CHECK_THROWS_WITH_AS(transpose_in_place(Tensor::zeros({3})), doctest::Contains("(3)"), Error);
    CHECK_THROWS_WITH_AS(transpose_in_place(Tensor::zeros({2, 2, 2})),
                         doctest::Contains("(2, 2, 2)"), Error);
}
