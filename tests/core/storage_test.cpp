// The caching allocator: alignment, reuse, and accounts that balance, even when several threads ask
// at once.
// Read next: tensor_test.cpp.
#include "core/storage.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <utility>
#include <vector>

using namespace smoe;

namespace {

constexpr int64_t size = sizeof(real);

}  // namespace

TEST_CASE("storage: every block is aligned to 64 bytes and may be written to its end") {
    for (const int64_t count : {0, 1, 15, 16, 17, 1000, 4097, 262143, 262144, 600001}) {
        Storage storage(count);
        CHECK(reinterpret_cast<uintptr_t>(storage.data()) % 64 == 0);
        std::fill_n(storage.data(), count, real(1));
    }
}

TEST_CASE("storage: a released block is handed out again, down to half its size") {
    const std::map<int64_t, bool> reused = {
        {8193, false}, {8192, true}, {6000, true}, {4096, true}, {3584, false}};
    for (const auto& row : reused) {
        CAPTURE(row.first);
        release_cached_memory();
        const real* first = nullptr;
        {
            Storage storage(8192);
            first = storage.data();
        }
        Storage again(row.first);
        CHECK((again.data() == first) == row.second);
        Storage second(4096);
        CHECK((second.data() == first) == !row.second);
    }
}

TEST_CASE("storage: what is released is 0, and all of its whole pages have left the process") {
    const int64_t count = (int64_t(3) << 20) / size, page = ::sysconf(_SC_PAGESIZE);
    Storage storage(count);
    real* const data = storage.data();
    const std::map<int64_t, int64_t> parts = {
        {0, count}, {1, count - 1}, {7, 8}, {page / size + 3, 3 * page / size - 2}, {5, 5}};
    for (const auto& part : parts) {
        const int64_t begin = part.first, end = part.second;
        CAPTURE(begin);
        std::fill_n(data, count, real(1));
        zero_and_release({data + begin, data + end});
#ifdef __linux__
        for (char* at = reinterpret_cast<char*>(data); at < reinterpret_cast<char*>(data + count);
             at += page) {
            unsigned char is_resident = 0;
            REQUIRE(::mincore(at, size_t(page), &is_resident) == 0);
            const bool within = at >= reinterpret_cast<char*>(data + begin) &&
                                at + page <= reinterpret_cast<char*>(data + end);
            REQUIRE((is_resident % 2 == 0) == within);
        }
#endif
        CHECK(std::count(data, data + count, real(0)) == end - begin);
        CHECK(std::count(data + begin, data + end, real(0)) == end - begin);
        CHECK(std::count(data, data + count, real(1)) == count - (end - begin));
        data[begin] = 2;  // and may be written again
    }
}

TEST_CASE("storage: of several free blocks the smallest that fits is taken, and stays whole") {
    release_cached_memory();
    auto large = std::make_unique<Storage>(16384), small = std::make_unique<Storage>(12288);
    const real *const large_data = large->data(), *const small_data = small->data();
    large.reset();
    small.reset();
    {
        const int64_t before = memory_use().live;
        Storage first(10240), second(10240);
        CHECK(first.data() == small_data);
        CHECK(second.data() == large_data);
        CHECK(memory_use().live - before == 2 * 10240 * size);  // what was asked for
    }
    CHECK(Storage(16384).data() == large_data);  // not only for 10240 from now on
}

TEST_CASE("storage: sizes that never come back do not pile up") {
    release_cached_memory();
    std::set<const real*> blocks;
    for (int64_t count = 8192; count >= 4096; --count) {
        Storage storage(count);
        blocks.insert(storage.data());
    }
    CHECK(blocks.size() == 1);
}

TEST_CASE("storage: what is held stays near the most that was needed at once") {
    release_cached_memory();
    // As in training on texts of all lengths: in every step forty blocks, of a size that grows past
    // all before it now and then.
    constexpr int64_t blocks = 40;
    const int64_t others = memory_use().held;  // what tests before this one keep
    int64_t most = 0, fresh = 0;
    std::set<const real*> known;
    for (int64_t step = 0; step < 400; ++step) {
        const int64_t count = 20000 + (step * 7919 + step * step) % (100 * (step + 1));
        most = std::max(most, blocks * count * size);
        std::vector<std::unique_ptr<Storage>> step_blocks;
        for (int64_t i = 0; i < blocks; ++i) {
            step_blocks.push_back(std::make_unique<Storage>(count));
            fresh += int64_t(step >= 200 && known.insert(step_blocks.back()->data()).second);
        }
    }
    // Rounded up by an eighth, and what a program has that needs hardly any.
    CHECK(double(memory_use().held) <= double(others) + double(most) * 9 / 8 + (4 << 20));
    CHECK(memory_use().held >= others + most);
    CHECK(fresh < 1000);  // of 8,000 requests: blocks are kept, not fetched for each
    release_cached_memory();
    CHECK(memory_use().held == others);
}

TEST_CASE("storage: a large block that is given back leaves the process") {
    const auto resident = [] {
        int64_t total = 0, pages = 0;
        std::ifstream("/proc/self/statm") >> total >> pages;
        return pages * ::sysconf(_SC_PAGESIZE);
    };
    constexpr int64_t bytes = int64_t(64) << 20;
    release_cached_memory();
    const int64_t before = resident();
    {
        Storage block(bytes / size);
        std::fill_n(block.data(), bytes / size, real(1));
    }
    const int64_t cached = resident();
    CHECK(cached - before > bytes * 9 / 10);
    release_cached_memory();
    CHECK(cached - resident() > bytes * 9 / 10);
}

TEST_CASE("storage: two living blocks never overlap") {
    std::vector<std::unique_ptr<Storage>> blocks;
    std::vector<std::pair<const real*, const real*>> ranges;
    for (int round = 0; round < 2; ++round) {
        blocks.clear();
        ranges.clear();
        for (int64_t count = 1; count < 3000; count = count * 5 / 4 + 1) {
            blocks.push_back(std::make_unique<Storage>(count));
            ranges.emplace_back(blocks.back()->data(), blocks.back()->data() + count);
        }
        std::sort(ranges.begin(), ranges.end());
        for (size_t i = 1; i < ranges.size(); ++i) {
            CHECK(ranges[i - 1].second <= ranges[i].first);
        }
    }
}

TEST_CASE("storage: live counts what is held, at most an eighth more than was asked for") {
    const int64_t before = memory_use().live;
    for (const int64_t count : {16, 100, 1023, 1024, 1025, 70000, 300000, 1 << 20, (1 << 20) + 1}) {
        const Storage storage(count);
        const int64_t held = memory_use().live - before;
        CAPTURE(count);
        CHECK(held >= count * size);
        CHECK(held <= std::max(count * size + 64, count * size * 9 / 8));
    }
    CHECK(memory_use().live == before);
}

TEST_CASE("storage: peak is the most at once, and starts anew at what is live") {
    const Storage held(1000);
    reset_peak();
    const int64_t start = memory_use().live;
    CHECK(memory_use().peak == start);
    { const Storage a(1 << 16), b(1 << 16); }
    { const Storage c(1 << 16); }
    CHECK(memory_use().peak == start + 2 * (1 << 16) * size);
    CHECK(memory_use().live == start);
    reset_peak();
    CHECK(memory_use().peak == start);
}

TEST_CASE("storage: giving the cache back leaves living blocks alone") {
    Storage held(1000);
    std::fill_n(held.data(), 1000, real(3));
    const int64_t before = memory_use().live;
    { const Storage cached(1000); }
    release_cached_memory();
    release_cached_memory();
    CHECK(memory_use().live == before);
    CHECK(std::all_of(held.data(), held.data() + 1000, [](real x) { return x == 3; }));
}

TEST_CASE("storage: many threads at once") {
    const int64_t before = memory_use().live;
    std::vector<int> broken(4, 0);
    std::vector<std::thread> workers;
    for (size_t worker = 0; worker < broken.size(); ++worker) {
        workers.emplace_back([&broken, worker] {
            for (int64_t round = 0; round < 2000; ++round) {
                const int64_t count = 1 + round % 50 * 7;
                Storage storage(count);
                std::fill_n(storage.data(), count, real(worker));
                broken[worker] += int(std::count_if(storage.data(), storage.data() + count,
                                                    [&](real x) { return x != real(worker); }));
            }
        });
    }
    for (std::thread& worker : workers) {
        worker.join();
    }
    CHECK(broken == std::vector<int>(4, 0));
    CHECK(memory_use().live == before);
}
