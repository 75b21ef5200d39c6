// What a few seeds allow one to say: mean, standard deviation, and Student's t test of paired
// differences. Leaves out corrections for many comparisons: a table shows every arm that was run.
// Read next: study_table.cpp, which prints them.
#pragma once

#include <cstdint>
#include <span>

namespace smoe {

struct Summary {
    int64_t count = 0;
    double mean = 0;       // NaN of no values
    double deviation = 0;  // sqrt(sum (x - mean)^2 / (count - 1)); NaN of fewer than two values
};
Summary summary_of(std::span<const double> values);

// The regularised incomplete beta function I_x(a, b) for a, b > 0 and x in [0, 1]; error below
// 1e-12.
double incomplete_beta(double a, double b, double x);

// The probability of |T| >= |t|, where T has Student's distribution with `freedom` degrees of
// freedom.
double student_t_p(double t, double freedom);
// The t below which T lies with probability `share`, in (0, 1).
double student_t_quantile(double share, double freedom);

// The mean of paired differences, its 95 % interval, and the p of the hypothesis that the true mean
// is 0. With fewer than two pairs the last three are NaN.
struct PairedTest {
    int64_t pairs = 0;
    double mean = 0, low = 0, high = 0, p = 0;
};
PairedTest paired_test(std::span<const double> differences);

}  // namespace smoe
