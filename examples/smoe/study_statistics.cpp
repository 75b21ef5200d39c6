// Student's distribution by the incomplete beta function, and that by its continued fraction
// (DLMF 8.17.22, evaluated from the front as by Lentz).
// Read next: tests/examples/study_statistics_test.cpp, for values from elsewhere.
#include "examples/smoe/study_statistics.h"

#include <cmath>
#include <limits>

namespace smoe {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
    constexpr double tiny = 1e-300;  // in place of a 0 to divide by
    const auto not_zero = [](double value) { return std::abs(value) < tiny ? tiny : value; };
    double c = 1;
    double d = 1 / not_zero(1 - (a + b) * x / (a + 1));
    double result = d;
    for (int m = 1; m <= 10000; ++m) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double change = 1;
        for (const double term : {even, odd}) {
            d = 1 / not_zero(1 + term * d);
            c = not_zero(1 + term / c);
            change = c * d;
            result *= change;
        }
        if (std::abs(change - 1) < 1e-15) {
            break;
        }
    }
    return result;
}

}  // namespace

Summary summary_of(std::span<const double> values) {
    const auto count = double(values.size());
    double sum = 0, squares = 0;
    for (const double value : values) {
        sum += value;
    }
    const double mean = sum / count;
    for (const double value : values) {
        squares += (value - mean) * (value - mean);
    }
    return {int64_t(values.size()), mean,
            values.size() < 2 ? nan : std::sqrt(squares / (count - 1))};
}

double incomplete_beta(double a, double b, double x) {
    if (x <= 0 || x >= 1) {
        return x <= 0 ? 0 : 1;
    }
    const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                  a * std::log(x) + b * std::log1p(-x));
    return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a
                                     : 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double student_t_p(double t, double freedom) {
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t));
}

double student_t_quantile(double share, double freedom) {
    if (share < 0.5) {
        return -student_t_quantile(1 - share, freedom);
    }
    const double p = 2 * (1 - share);
    double low = 0, high = 1;
    while (student_t_p(high, freedom) > p) {
        high *= 2;
    }
    for (int i = 0; i < 100; ++i) {
        const double middle = (low + high) / 2;
        (student_t_p(middle, freedom) > p ? low : high) = middle;
    }
    return (low + high) / 2;
}

PairedTest paired_test(std::span<const double> differences) {
    const Summary summary = summary_of(differences);
    if (summary.count < 2) {
        return {summary.count, summary.mean, nan, nan, nan};
    }
    const auto freedom = double(summary.count - 1);
    const double error = summary.deviation / std::sqrt(double(summary.count));
    const double reach = student_t_quantile(0.975, freedom) * error;
    const double p = summary.mean == 0 ? 1 : student_t_p(summary.mean / error, freedom);
    return {summary.count, summary.mean, summary.mean - reach, summary.mean + reach, p};
}

}  // namespace smoe
