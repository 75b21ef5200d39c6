// Exercise: the transpose of a matrix, (M, N) -> (N, M), on all threads. A column is far apart in
// memory, so go in small squares that stay in the cache. Whatever is no matrix is an Error that
// names the shape.
#include "core/check.h"
#include "core/tensor.h"
#include "tests/exercises/exercise.h"

smoe::Tensor transposed(const smoe::Tensor& x);

using namespace smoe;

TEST_CASE("transposed: element (i, j) becomes (j, i)") {
    for (const auto& [M, N] :
         {std::pair<int64_t, int64_t>{2, 3}, {1, 7}, {7, 1}, {0, 4}, {130, 257}}) {
        const Tensor x = Tensor::empty({M, N});
        for (int64_t i = 0; i < x.numel(); ++i) {
            x.data()[i] = real(i);
        }
        for (const int count : {1, 2, 4}) {
            set_threads(count);
            const Tensor y = transposed(x);
            REQUIRE(y.shape() == Shape{N, M});
            int64_t wrong = 0;
            for (int64_t i = 0; i < M; ++i) {
                for (int64_t j = 0; j < N; ++j) {
                    wrong += y.data()[j * M + i] != real(i * N + j);
                }
            }
            CHECK(wrong == 0);
        }
        CHECK((x.numel() == 0 || x.data()[x.numel() - 1] == real(x.numel() - 1)));
    }
}

TEST_CASE("transposed: what is no matrix is refused") {
    CHECK_THROWS_WITH_AS(transposed(Tensor::zeros({3})), doctest::Contains("(3)"), Error);
    CHECK_THROWS_WITH_AS(transposed(Tensor::zeros({2, 3, 4})), doctest::Contains("(2, 3, 4)"),
                         Error);
}
