// Exercise tests_slope: write the function, then run make exercise NAME=tests_slope FILE=(this file).
// Read next: tests/exercises/tests_slope.cpp, which says what is wanted and ends with two hints.
#include <functional>

#include "core/check.h"

double slope(const std::function<double(double)>& f, double x) {
    smoe::fail("tests_slope: slope is still to be written");
}
