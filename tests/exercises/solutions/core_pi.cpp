// One solution of the exercise core_pi.cpp; write your own first.
// Read next: tests/exercises/core_pi.cpp, its test.
#include <numeric>
#include <vector>

#include "core/rng.h"
#include "core/threads.h"

double estimate_pi(uint64_t seed, int64_t points) {
    using namespace smoe;
    constexpr int64_t grain = 4096;
    std::vector<int64_t> inside(size_t(points / grain + 1));  // of each chunk
    parallel_for(points, grain, [&](int64_t begin, int64_t end) {
        int64_t count = 0;
        for (int64_t i = begin; i < end; ++i) {
            const auto words = philox(seed, 0, uint64_t(i));
            const double x = to_unit(words[0]), y = to_unit(words[1]);
            count += x * x + y * y < 1;
        }
        inside[size_t(begin / grain)] = count;
    });
    return 4.0 * double(std::accumulate(inside.begin(), inside.end(), int64_t(0))) / double(points);
}
