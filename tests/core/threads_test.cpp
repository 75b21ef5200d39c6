// The pool: every chunk once, borders that depend on the work alone, no nesting. An exception in a
// chunk must reach the caller, and the pool must go on.
// Read next: vector_math_test.cpp, blas_test.cpp.
#include "core/threads.h"

#include <doctest/doctest.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "core/check.h"

using namespace smoe;

TEST_CASE("threads: the size of the pool is what was asked for, from 1 to 1024") {
    const int before = threads();
    for (const int count : {1, 3, 2}) {
        set_threads(count);
        CHECK(threads() == count);
    }
    for (const int count : {0, -1, 1025, 1 << 30}) {
        CHECK_THROWS_WITH_AS(set_threads(count), doctest::Contains("from 1 to 1024"), Error);
    }
    CHECK(threads() == 2);
    set_threads(before);
}

TEST_CASE("threads: each chunk is called once, and all before the call returns") {
    const int before = threads();
    for (const int count : {1, 2, 5}) {
        set_threads(count);
        for (const int64_t chunks : {0, 1, 2, 7, 1000}) {
            std::vector<std::atomic<int>> calls(static_cast<size_t>(chunks));
            parallel_chunks(chunks, [&](int64_t chunk) { ++calls[size_t(chunk)]; });
            CHECK(std::all_of(calls.begin(), calls.end(), [](const auto& n) { return n == 1; }));
        }
    }
    set_threads(before);
}

TEST_CASE(
    "threads: parallel_for covers the range in chunks of the grain, for any number of threads") {
    const int before = threads();
    using Range = std::pair<int64_t, int64_t>;
    const auto ranges = [](int64_t count, int64_t grain) {
        std::mutex mutex;
        std::vector<Range> found;
        parallel_for(count, grain, [&](int64_t begin, int64_t end) {
            const std::lock_guard lock(mutex);
            found.emplace_back(begin, end);
        });
        std::sort(found.begin(), found.end());
        return found;
    };
    for (const int count : {1, 2, 4}) {
        set_threads(count);
        CHECK(ranges(10, 4) == std::vector<Range>{{0, 4}, {4, 8}, {8, 10}});
        CHECK(ranges(8, 4) == std::vector<Range>{{0, 4}, {4, 8}});
        CHECK(ranges(3, 100) == std::vector<Range>{{0, 3}});
        CHECK(ranges(0, 4).empty());
        CHECK(ranges(1000, 1).size() == 1000);
    }
    set_threads(before);
}

TEST_CASE("threads: parallel work inside a chunk runs to its end on that thread") {
    const int before = threads(), levels = omp_get_max_active_levels();
    set_threads(3);
    omp_set_max_active_levels(2);  // else OpenMP itself would keep the inner work on one thread
    std::vector<int64_t> sums(6, 0);
    std::atomic<int> elsewhere = 0;
    parallel_chunks(6, [&](int64_t chunk) {
        const std::thread::id own = std::this_thread::get_id();
        parallel_for(100, 7, [&](int64_t begin, int64_t end) {
            elsewhere += std::this_thread::get_id() != own;
            for (int64_t i = begin; i < end; ++i) {
                sums[size_t(chunk)] += i;  // a race if other threads took part
            }
        });
    });
    CHECK(sums == std::vector<int64_t>(6, 4950));
    CHECK(elsewhere == 0);
    omp_set_max_active_levels(levels);
    set_threads(before);
}

TEST_CASE("threads: inside a chunk is the same question for any number of threads") {
    const int before = threads();
    CHECK(!inside_chunk());
    for (const int count : {1, 2}) {
        set_threads(count);
        for (const int64_t chunks : {1, 5}) {
            std::atomic<int> inside = 0;
            parallel_chunks(chunks, [&](int64_t) {
                parallel_chunks(2, [&](int64_t) { inside += inside_chunk(); });
                inside += inside_chunk();  // still, when the inner work has ended
            });
            CHECK(inside == 3 * chunks);
            CHECK(!inside_chunk());
        }
    }
    set_threads(before);
}

TEST_CASE("threads: the exception of the lowest chunk arrives, and the pool goes on") {
    const int before = threads();
    for (const int count : {1, 3}) {
        set_threads(count);
        const auto fail_from_seven = [](int64_t chunk) {
            if (chunk == 7) {  // the first in number, but not in time
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
            }
            check(chunk < 7, "chunk {}", chunk);
        };
        CHECK_THROWS_WITH_AS(parallel_chunks(20, fail_from_seven), "chunk 7", Error);
        CHECK(!inside_chunk());
        std::atomic<int> calls = 0;
        parallel_chunks(20, [&](int64_t) { ++calls; });
        CHECK(calls == 20);
    }
    set_threads(before);
}
