// The caching allocator: free blocks by size class, eight classes to each power of two, so that at
// most an eighth of a fresh block is waste. One lock for all, which is taken once a tensor, not
// once a number.
// Read next: tensor.cpp.
#include "core/storage.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace smoe {
namespace {

constexpr size_t alignment = 64, huge_page = size_t(2) << 20;

struct Cache {
    std::mutex mutex;
    std::map<size_t, std::vector<void*>> free_blocks;  // by size class
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

void* fresh_block(size_t bytes) {
    const size_t boundary = bytes >= huge_page ? huge_page : alignment;
    void* block = std::aligned_alloc(boundary, (bytes + boundary - 1) / boundary * boundary);
    if (block == nullptr) {
        throw std::bad_alloc();
    }
#ifdef MADV_HUGEPAGE
    if (bytes >= huge_page) {
        ::madvise(block, bytes, MADV_HUGEPAGE);  // a hint: nothing depends on its success
    }
#endif
    return block;
}

}  // namespace

Storage::Storage(int64_t count) : bytes_(size_class(size_t(count) * sizeof(real))) {
    Cache& shared = cache();
    const std::lock_guard lock(shared.mutex);
    // The smallest free block of up to twice the size: batches of varying lengths ask for sizes
    // that never come back, and blocks kept for those alone would pile up.
    auto found = shared.free_blocks.lower_bound(bytes_);
    while (found != shared.free_blocks.end() && found->second.empty()) {
        ++found;
    }
    if (found != shared.free_blocks.end() && found->first <= 2 * bytes_) {
        block_bytes_ = found->first;
        data_ = static_cast<real*>(found->second.back());
        found->second.pop_back();
    } else {
        block_bytes_ = bytes_;
        data_ = static_cast<real*>(fresh_block(bytes_));
    }
    shared.use.live += int64_t(bytes_);
    shared.use.peak = std::max(shared.use.peak, shared.use.live);
}

Storage::~Storage() {
    Cache& shared = cache();
    const std::lock_guard lock(shared.mutex);
    shared.free_blocks[block_bytes_].push_back(data_);
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

void release_cached_memory() {
    Cache& shared = cache();
    const std::lock_guard lock(shared.mutex);
    for (auto& [size, blocks] : shared.free_blocks) {
        for (void* block : blocks) {
            std::free(block);
        }
    }
    shared.free_blocks.clear();
}

}  // namespace smoe
