// A query over cached keys and values against loops in double: any number of positions around the
// blocks of keys, any size of head, and positions behind the last one that hold anything.
// Read next: tests/nn/step_test.cpp.
#include "core/cached_attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/core/products.h"

using namespace smoe;

namespace {

std::vector<double> mixed(const real* q, int64_t D, const std::vector<real>& keys,
                          const std::vector<real>& values, int64_t seen, double scale) {
    std::vector<double> scores, mix(size_t(D), 0);
    for (int64_t p = 0; p < seen; ++p) {
        double score = 0;
        for (int64_t d = 0; d < D; ++d) {
            score += double(q[d]) * double(keys[size_t(p * D + d)]);
        }
        scores.push_back(scale * score);
    }
    const double most = *std::max_element(scores.begin(), scores.end());
    double total = 0;
    for (double& score : scores) {
        score = std::exp(score - most);
        total += score;
    }
    for (int64_t p = 0; p < seen; ++p) {
        for (int64_t d = 0; d < D; ++d) {
            mix[size_t(d)] += scores[size_t(p)] / total * double(values[size_t(p * D + d)]);
        }
    }
    return mix;
}

}  // namespace

TEST_CASE("cached attention: the mix of values, whatever lies behind the last position") {
    Rng rng(5);
    for (int round = 0; round < 200; ++round) {
        const int64_t D = 1 + int64_t(rng.below(150)), seen = 1 + int64_t(rng.below(70));
        CAPTURE(D);
        CAPTURE(seen);
        const std::vector<real> q = random_values(D, rng), keys = random_values(seen * D, rng),
                                values = random_values(seen * D, rng);
        const real scale = real(1 / std::sqrt(double(D)));
        constexpr real anything = std::numeric_limits<real>::quiet_NaN();
        std::vector<real> cache(size_t(in_blocks(seen) * D), anything);
        for (int64_t p = 0; p < seen; ++p) {
            put_key(keys.data() + p * D, D, p, cache.data());
        }
        std::vector<real> scores(size_t(in_blocks(seen) + 1), 7), y(size_t(D + 1), 7);
        attend(q.data(), D, cache.data(), values.data(), seen, scale, scores.data(), y.data());
        const std::vector<double> expected = mixed(q.data(), D, keys, values, seen, double(scale));
        double worst = 0;
        for (int64_t d = 0; d < D; ++d) {
            const double distance = std::abs(double(y[size_t(d)]) - expected[size_t(d)]);
            worst = distance <= worst ? worst : distance;  // NaN, too
        }
        CHECK(worst < (sizeof(real) == sizeof(float) ? 2e-6 : 1e-14));
        CHECK(scores.back() == 7);
        CHECK(y.back() == 7);
    }
}
