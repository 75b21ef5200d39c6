// A solution of tests_slope.cpp that its test must refuse: h is so small that only rounding is left.
// Read next: tests/exercises/tests_slope.cpp, its test.
#include <functional>

double slope(const std::function<double(double)>& f, double x) {
    constexpr double h = 1e-12;
    return (f(x + h) - f(x - h)) / (2 * h);
}
