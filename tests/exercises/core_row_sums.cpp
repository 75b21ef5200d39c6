// Exercise: the sum of each row of a matrix (N, C) -> (N), the rows divided among all threads. Each
// row is added from left to right, so the bits are the same for any number of threads.
// Level 1 of 3, about 15 minutes. Two hints are at the end.
#include "core/tensor.h"
#include "tests/exercises/exercise.h"

smoe::Tensor row_sums(const smoe::Tensor& x);

using namespace smoe;

namespace {

// (N, C) of numbers that do not add up to the same in another order, and their sums.
std::pair<Tensor, std::vector<double>> matrix(int64_t N, int64_t C) {
    const Tensor x = Tensor::empty({N, C});
    std::vector<double> sums;
    for (int64_t n = 0; n < N; ++n) {
        real total = 0;
        for (int64_t c = 0; c < C; ++c) {
            x.data()[n * C + c] = real(1) / real(1 + n + 3 * c);
            total += x.data()[n * C + c];
        }
        sums.push_back(double(total));
    }
    return {x, sums};
}

}  // namespace

TEST_CASE("row_sums: every row, with any number of threads") {
    for (const auto& [N, C] : {std::pair{1, 1}, {3, 5}, {100, 7}, {1000, 33}, {0, 4}, {4, 0}}) {
        const auto [x, sums] = matrix(N, C);
        for (const int count : {1, 2, 4}) {
            set_threads(count);
            const Tensor found = row_sums(x);
            REQUIRE(found.shape() == Shape{N});
            expect_elements(fmt::format("row_sums of ({}, {}) with {} threads", N, C, count), found,
                            sums);
        }
    }
}

TEST_CASE("row_sums: the work is divided") {
    const Tensor x = matrix(4000, 500).first;
    expect_several_threads("row_sums of (4000, 500)", [&] { row_sums(x); });
}

// Hint 1: core/threads.h declares parallel_for(count, grain, body). What is `count` here, and what
// may body(begin, end) do with rows begin to end - 1?
// Hint 2: a grain of a few rows is enough: parallel_for(N, 16, [&](int64_t begin, int64_t end) {...}).
// Row n begins at x.data() + n * C.
