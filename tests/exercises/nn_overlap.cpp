// Exercise: how much do experts share? Given the masks of a layer (K, width), the table (K, K) of
// how many neurons two experts both keep. It is a product of two matrices: core/blas.h has one.
// Before you run the test: how many do you expect if a random share p is masked?
// Level 1 of 3, about 20 minutes. Two hints are at the end.
#include "core/tensor.h"
#include "nn/masks.h"
#include "tests/exercises/exercise.h"

smoe::Tensor shared_neurons(const smoe::Tensor& mask);

using namespace smoe;

TEST_CASE("shared_neurons: counted by hand") {
    const Tensor mask = Tensor::from({3, 4}, {1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1});
    const Tensor shared = shared_neurons(mask);
    REQUIRE(shared.shape() == Shape{3, 3});
    expect_elements("shared_neurons of ((1, 1, 0, 0), (0, 1, 1, 1), (1, 1, 1, 1))", shared,
                    {2, 1, 2, 1, 3, 3, 2, 3, 4});
}

TEST_CASE("shared_neurons: masks drawn by chance share (1 - p)^2 of the width") {
    for (const double p : {0.2, 0.5, 0.8}) {
        const int64_t K = 10, width = 2048;
        Rng rng(3);
        const Tensor shared =
            shared_neurons(draw_masks("bernoulli", {.num_experts = K, .rate = p}, width, rng));
        double own = 0, others = 0;
        for (int64_t a = 0; a < K; ++a) {
            for (int64_t b = 0; b < K; ++b) {
                (a == b ? own : others) += double(shared.data()[a * K + b]);
            }
        }
        expect_close(fmt::format("p = {}: the share that an expert keeps", p),
                     own / double(K) / double(width), 1 - p, 0.03);
        expect_close(fmt::format("p = {}: the share that two experts both keep", p),
                     others / double(K * (K - 1)) / double(width), (1 - p) * (1 - p), 0.03);
    }
}

// Hint 1: for 0 and 1, how many neurons two experts both keep is the sum of the products of their
// rows.
// Hint 2: that is mask mask^T: gemm(Trans::no, Trans::yes, K, K, width, ...), where rows of the
// mask lie `width` numbers apart.
