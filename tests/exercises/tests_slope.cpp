// Exercise: the derivative of a function of one number by a central difference, (f(x + h) - f(x -
// h)) / 2h. The only question is h: too large, and the curve between the two points counts; too
// small, and only rounding is left. Return the derivative to within 1e-6 max(1, |derivative|), for
// each of the functions below.
// Level 1 of 3, about 20 minutes. Two hints are at the end.
#include "tests/exercises/exercise.h"

double slope(const std::function<double(double)>& f, double x);

TEST_CASE("slope: of functions whose derivative is known") {
    const auto cube = [](double x) { return x * x * x; };
    for (const double x : {0.0, 1.0, -3.0, 1e-3, 100.0, 1e4}) {
        expect_close(fmt::format("the slope of x^3 at {}", x), slope(cube, x), 3 * x * x, 1e-6);
    }
    for (const double x : {0.0, 1.0, -5.0, 20.0}) {
        expect_close(fmt::format("the slope of e^x at {}", x),
                     slope([](double at) { return std::exp(at); }, x), std::exp(x), 1e-6);
    }
    for (const double x : {0.1, 1.0, 50.0}) {
        expect_close(fmt::format("the slope of sin(3 x) at {}", x),
                     slope([](double at) { return std::sin(3 * at); }, x), 3 * std::cos(3 * x),
                     1e-6);
    }
    expect_close("the slope of 7 at 2", slope([](double) { return 7.0; }, 2), 0, 1e-6);
}

// Hint 1: build/lessons/03_derivative prints the error for many h. Where is it the smallest?
// Hint 2: the error is about h^2 times the third derivative, plus 1e-16 |f| / h. With h = 1e-5 both
// are small here.
