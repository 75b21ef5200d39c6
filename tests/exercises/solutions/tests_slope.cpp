// One solution of the exercise tests_slope.cpp; write your own first.
// Read next: tests/exercises/tests_slope.cpp, its test.
#include <functional>

double slope(const std::function<double(double)>& f, double x) {
    constexpr double h = 1e-5;
    return (f(x + h) - f(x - h)) / (2 * h);
}
