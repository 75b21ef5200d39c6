// The caching allocator: free blocks by size class, eight classes to each power of two, so that at
// most an eighth of a fresh block is waste. Free blocks that no request fits any more are given
// back, so that what is held stays near the most that was needed at once. There is one lock for
// all, taken once a tensor, not once a number.
// Read next: tensor.cpp.
#include "core/storage.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <new>

namespace smoe {
namespace {

constexpr size_t alignment = 64, huge_page = size_t(2) << 20;
#ifdef __EMSCRIPTEN__  // its mmap is malloc, and cannot give back a part
constexpr size_t least_mapped = SIZE_MAX;
#else
constexpr size_t least_mapped = huge_page;
#endif

struct Cache {
    std::mutex mutex;
    // The first of the free blocks of each size class. Each block holds the address of the next in
    // its first bytes, so that giving one back needs no memory, which may be short just then.
    std::map<size_t, void*> free_blocks;
    size_t lent = 0, max_lent = 0;  // bytes of blocks in use, now and at most
    MemoryUse use;
};

// Never destroyed: tensors in static variables may be released after it would be.
Cache& cache() {
    static Cache* const instance = new Cache;
    return *instance;
}

size_t size_class(size_t bytes) {
    bytes = std::max(bytes, alignment);
    const size_t step = std::max(alignment, std::bit_floor(bytes) / 8);
    return (bytes + step - 1) / step * step;
}

// Large blocks are mapped, at the boundary of a huge page. One that is given back then leaves the
// process at once; in the heap it would stay as a hole.
void* fresh_block(size_t bytes) {
    if (bytes < least_mapped) {
        void* const block = std::aligned_alloc(alignment, bytes);
        return block != nullptr ? block : throw std::bad_alloc();
    }
    void* const room = ::mmap(nullptr, bytes + huge_page, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) {
        throw std::bad_alloc();
    }
    char* const begin = static_cast<char*>(room);
    const size_t before = (huge_page - reinterpret_cast<uintptr_t>(room) % huge_page) % huge_page;
    if (before > 0) {
        ::munmap(begin, before);
    }
    ::munmap(begin + before + bytes, huge_page - before);
#ifdef MADV_HUGEPAGE
    ::madvise(begin + before, bytes, MADV_HUGEPAGE);  // a hint: nothing depends on its success
#endif
    return begin + before;
}

void push(void*& first, void* block) {
    std::memcpy(block, &first, sizeof first);
    first = block;
}

void* pop(void*& first) {
    void* const block = first;
    std::memcpy(&first, block, sizeof first);
    return block;
}

void give_back(void* block, size_t bytes) {
    if (bytes < least_mapped) {
        std::free(block);
    } else {
        ::munmap(block, bytes);
    }
}

// Gives free blocks back until, counting a fresh one of `bytes`, no more is held than was ever in
// use at once, plus a little for programs that need hardly any. Blocks that are just too small go
// first, since the fresh one also serves their requests.
void make_room(Cache& cache, size_t bytes) {
    constexpr size_t slack = size_t(4) << 20;
    const size_t most = std::max(cache.max_lent, cache.lent + bytes) + slack;
    auto& blocks = cache.free_blocks;
    const auto is_stocked = [](const auto& row) { return row.second != nullptr; };
    while (size_t(cache.use.held) + bytes > most) {
        const auto fits = std::make_reverse_iterator(blocks.lower_bound(bytes));
        auto victim = std::find_if(fits, blocks.rend(), is_stocked);
        if (victim == blocks.rend()) {
            victim = std::find_if(blocks.rbegin(), fits, is_stocked);
            if (victim == fits) {
                return;  // all that is held is in use
            }
        }
        give_back(pop(victim->second), victim->first);
        cache.use.held -= int64_t(victim->first);
    }
}

}  // namespace

Storage::Storage(int64_t count) : bytes_(size_class(size_t(count) * sizeof(real))) {
    Cache& shared = cache();
    const std::lock_guard lock(shared.mutex);
    // Takes the smallest free block of up to twice the size. Batches of varying lengths ask for
    // sizes that never come back, and blocks kept only for those would pile up.
    auto found = shared.free_blocks.lower_bound(bytes_);
    while (found != shared.free_blocks.end() && found->second == nullptr) {
        ++found;
    }
    if (found != shared.free_blocks.end() && found->first <= 2 * bytes_) {
        block_bytes_ = found->first;
        data_ = static_cast<real*>(pop(found->second));
    } else {
        make_room(shared, bytes_);
        shared.free_blocks.try_emplace(bytes_, nullptr);  // the place that it will come back to
        block_bytes_ = bytes_;
        data_ = static_cast<real*>(fresh_block(bytes_));
        shared.use.held += int64_t(block_bytes_);
    }
    shared.lent += block_bytes_;
    shared.max_lent = std::max(shared.max_lent, shared.lent);
    shared.use.live += int64_t(bytes_);
    shared.use.peak = std::max(shared.use.peak, shared.use.live);
}

Storage::~Storage() {
    Cache& shared = cache();
    const std::lock_guard lock(shared.mutex);
    push(shared.free_blocks.find(block_bytes_)->second, data_);
    shared.lent -= block_bytes_;
    shared.use.live -= int64_t(bytes_);
}

MemoryUse memory_use() {
    Cache& shared = cache();
    const std::lock_guard lock(shared.mutex);
    return shared.use;
}

void reset_peak() {
    Cache& shared = cache();
    const std::lock_guard lock(shared.mutex);
    shared.use.peak = shared.use.live;
}

void zero_and_release(std::span<real> numbers) {
#ifdef __linux__  // elsewhere such pages may keep what they hold
    const auto page = size_t(::sysconf(_SC_PAGESIZE));
    auto* const first = reinterpret_cast<char*>(numbers.data());
    char* const last = first + numbers.size_bytes();
    char* const from = first + (page - reinterpret_cast<uintptr_t>(first) % page) % page;
    char* const to = last - reinterpret_cast<uintptr_t>(last) % page;
    if (from < to && ::madvise(from, size_t(to - from), MADV_DONTNEED) == 0) {
        std::memset(first, 0, size_t(from - first));
        std::memset(to, 0, size_t(last - to));
        return;
    }
#endif
    std::fill(numbers.begin(), numbers.end(), real(0));
}

void release_cached_memory() {
    Cache& shared = cache();
    const std::lock_guard lock(shared.mutex);
    for (auto& [size, first] : shared.free_blocks) {
        while (first != nullptr) {
            give_back(pop(first), size);
            shared.use.held -= int64_t(size);
        }
    }
    shared.max_lent = shared.lent;
}

}  // namespace smoe
