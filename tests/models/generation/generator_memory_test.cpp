// Generation must not allocate memory for each token, so every allocation of this program is
// counted. The test replaces operator new; so does ThreadSanitizer, which therefore runs without
// it.
// Read next: tests/models/transformer/incremental_decoder_test.cpp.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "core/storage.h"
#include "models/generation/generator.h"
#include "tests/models/small_run.h"

namespace {

std::atomic<int64_t> allocations = 0;

void* counted(size_t bytes) {
    ++allocations;
    void* const block = std::malloc(bytes > 0 ? bytes : 1);
    if (block == nullptr) {
        throw std::bad_alloc();
    }
    return block;
}

}  // namespace

void* operator new(size_t bytes) {
    return counted(bytes);
}
void* operator new[](size_t bytes) {
    return counted(bytes);
}
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(bytes > 0 ? bytes : 1);
}
void operator delete(void* block) noexcept {
    std::free(block);
}
void operator delete[](void* block) noexcept {
    std::free(block);
}
void operator delete(void* block, size_t) noexcept {
    std::free(block);
}
void operator delete[](void* block, size_t) noexcept {
    std::free(block);
}

namespace smoe {
namespace {

struct Count {
    int64_t tokens = 0, allocations = 0, bytes = 0;
};

// Of a new generator's first run.
Count count(const SingleMoe& moe, const Sampling& sampling, int64_t max_tokens) {
    Generator generator(moe, 299, 3);
    Count found{.allocations = allocations, .bytes = memory_use().live};
    generator.run({1, 2, 3}, sampling, 5, max_tokens,
                  [&found](const Generator::Token&) { ++found.tokens; });
    found.allocations = allocations - found.allocations;
    found.bytes = memory_use().live - found.bytes;
    return found;
}

}  // namespace

TEST_CASE("generator memory: forty tokens allocate no more than twenty") {
    int64_t more_tokens = 0;
    for (const char* const routing : {"router", "hash", "random", "none"}) {
        Config config = small_config();
        config.model.router.kind = routing;
        config.model.context = 60;
        SingleMoe moe(config.model, config.seed);
        moe.eval();
        for (const Sampling& sampling :
             {Sampling{.kind = "greedy"}, Sampling{.kind = "multinomial"}, Sampling{},
              Sampling{.top_k = 7}}) {
            CAPTURE(routing);
            CAPTURE(sampling.kind);
            const Count twenty = count(moe, sampling, 20), forty = count(moe, sampling, 40);
            more_tokens += forty.tokens - twenty.tokens;  // some texts end before
            CHECK(forty.allocations == twenty.allocations);
            CHECK(forty.bytes == twenty.bytes);
            CHECK(twenty.allocations < 100);
        }
    }
    CHECK(allocations > 0);  // they are counted indeed
    CHECK(more_tokens > 200);
}

}  // namespace smoe
