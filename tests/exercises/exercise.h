// What the tests of the exercises share. Each file beside this one is an exercise: its first lines
// say what is wanted, how hard it is and how long it takes, its last ones are two hints. You define
// what it declares in a file of your own:
//     make exercise NAME=core_transpose FILE=mine.cpp
// The first time, this puts the starter into mine.cpp; from then on it tests what you wrote there.
// Try to solve it before you look at the hints, and at those before you look into solutions/.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/tensor.h"
#include "core/threads.h"

// `what` names the function with its input. NaN is only close to NaN.
inline void expect_close(const std::string& what, double found, double expected,
                         double tolerance = 0) {
    const bool close = std::isnan(expected)
                           ? std::isnan(found)
                           : found == expected || std::abs(found - expected) <=
                                                      tolerance * std::max(1.0, std::abs(expected));
    CHECK_MESSAGE(close, what << " should be " << fmt::format("{:.17g}", expected) << ", found "
                              << fmt::format("{:.17g}", found));
}

// The same for each element; says only the first that is wrong.
inline void expect_elements(const std::string& what, const smoe::Tensor& found,
                            const std::vector<double>& expected, double tolerance = 0) {
    REQUIRE_MESSAGE(
        found.numel() == int64_t(expected.size()),
        what << " should have " << expected.size() << " elements, found " << found.numel());
    for (int64_t i = 0; i < found.numel(); ++i) {
        const double x = double(found.data()[i]), y = expected[size_t(i)];
        const bool last = i + 1 == found.numel();
        if (last || !(std::abs(x - y) <= tolerance * std::max(1.0, std::abs(y)))) {
            expect_close(fmt::format("element {} of {}", i, what), x, y, tolerance);
            return;
        }
    }
}

// The share of the processor time of `work`, called with two threads, that other threads than this
// one spent: about a half if the work is divided, 0 if it is not. Unlike seconds, it does not
// depend on what else the machine does.
inline double share_of_other_threads(const std::function<void()>& work) {
    const auto seconds = [](clockid_t clock) {
        timespec now = {};
        clock_gettime(clock, &now);
        return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
    };
    smoe::set_threads(2);
    // Threads of earlier work, and those that OpenBLAS starts with the program, look for more before
    // they sleep: for 0.1 s on some machines.
    double before = 0;
    do {
        before = seconds(CLOCK_PROCESS_CPUTIME_ID);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    } while (seconds(CLOCK_PROCESS_CPUTIME_ID) - before > 0.001);
    const double all = seconds(CLOCK_PROCESS_CPUTIME_ID), own = seconds(CLOCK_THREAD_CPUTIME_ID);
    double used = 0;
    while (used < 0.3) {
        work();
        used = seconds(CLOCK_PROCESS_CPUTIME_ID) - all;
    }
    return 1 - (seconds(CLOCK_THREAD_CPUTIME_ID) - own) / used;
}

inline void expect_several_threads(const std::string& what, const std::function<void()>& work) {
    const double others = share_of_other_threads(work);
    CHECK_MESSAGE(others > 0.1,
                  what << ": with two threads, the second should do a half of the work, "
                       << fmt::format("it did {:.0f} %", 100 * others));
}
