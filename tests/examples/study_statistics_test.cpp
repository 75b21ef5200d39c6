// Student's distribution against values of SciPy 1.17 (scipy.stats.t, ttest_rel, special.betainc).
// The program is built in float only, so these cases belong to the float tests.
//
// Read next: examples/smoe/study_statistics.h.
#ifndef SMOE_DOUBLE
#include "examples/smoe/study_statistics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace smoe {

TEST_CASE("study statistics: incomplete beta function") {
    const double values[][4] = {
        {1, 1, 0.3, 0.3},
        {0.5, 0.5, 0.5, 0.5},
        {2, 3, 0.4, 0.5248},
        {5, 0.5, 0.9, 0.3166429150200122},
        {0.5, 5, 0.01, 0.24284189089843747},
        {50, 0.5, 0.99, 0.3173043978741973},
    };
    for (const auto& row : values) {
        const double a = row[0], b = row[1], x = row[2], expected = row[3];
        INFO(a << " " << b << " " << x);
        CHECK(std::abs(incomplete_beta(a, b, x) - expected) < 1e-12);
        CHECK(std::abs(incomplete_beta(b, a, 1 - x) - (1 - expected)) < 1e-12);
    }
    CHECK(incomplete_beta(2, 3, 0) == 0);
    CHECK(incomplete_beta(2, 3, 1) == 1);
}

TEST_CASE("study statistics: p and quantiles of Student's t") {
    const double probabilities[][3] = {
        {0, 3, 1},
        {1, 1, 0.5},
        {2.5, 2, 0.12961172022151082},
        {-2.5, 2, 0.12961172022151082},
        {10, 2, 0.00985245702332569},
        {30, 9, 2.4837047041582635e-10},
        {0.01, 5, 0.9924080180425819},
    };
    for (const auto& row : probabilities) {
        const double t = row[0], freedom = row[1], expected = row[2];
        INFO(t << " " << freedom);
        CHECK(std::abs(student_t_p(t, freedom) - expected) < 1e-11 * expected + 1e-20);
    }
    const double quantiles[][3] = {
        {0.975, 1, 12.706204736174694},   {0.975, 2, 4.302652729749462},
        {0.975, 9, 2.262157162798205},    {0.995, 4, 4.604094871349992},
        {0.975, 100, 1.9839715185235518}, {0.5, 3, 0},
        {0.05, 2, -2.9199855803537256},
    };
    for (const auto& row : quantiles) {
        const double share = row[0], freedom = row[1], expected = row[2];
        INFO(share << " " << freedom);
        CHECK(std::abs(student_t_quantile(share, freedom) - expected) < 1e-10);
    }
}

TEST_CASE("study statistics: mean, deviation, paired differences") {
    const std::vector<double> values = {2, 4, 4, 4, 5, 5, 7, 9};
    const Summary summary = summary_of(values);
    CHECK(summary.count == 8);
    CHECK(summary.mean == 5);
    CHECK(std::abs(summary.deviation - std::sqrt(32.0 / 7)) < 1e-14);

    const std::vector<double> differences = {2.1044 - 2.1513, 2.0989 - 2.1488, 2.1071 - 2.1540};
    const PairedTest test = paired_test(differences);
    CHECK(test.pairs == 3);
    CHECK(std::abs(test.mean + 0.0479) < 1e-12);
    CHECK(std::abs(test.low + 0.0522026527297496) < 1e-10);
    CHECK(std::abs(test.high + 0.04359734727025035) < 1e-10);
    CHECK(std::abs(test.p - 0.00043555716358128956) < 1e-12);

    const std::vector<double> one = {0.5}, none, alike = {0, 0, 0};
    CHECK(paired_test(one).mean == 0.5);
    CHECK(std::isnan(paired_test(one).p));
    CHECK(std::isnan(summary_of(one).deviation));
    CHECK(std::isnan(summary_of(none).mean));
    CHECK(paired_test(alike).p == 1);
}

}  // namespace smoe
#endif
