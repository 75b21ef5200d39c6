// A solution of core_pi.cpp that its test must refuse: one thread does all of the work.
// Read next: tests/exercises/core_pi.cpp, its test.
#include "core/rng.h"

double estimate_pi(uint64_t seed, int64_t points) {
    int64_t inside = 0;
    for (int64_t i = 0; i < points; ++i) {
        const auto words = smoe::philox(seed, 0, uint64_t(i));
        const double x = smoe::to_unit(words[0]), y = smoe::to_unit(words[1]);
        inside += x * x + y * y < 1;
    }
    return 4.0 * double(inside) / double(points);
}
