// Memory for tensors: 64-byte aligned blocks that are kept and handed out again, because a training
// step asks for the same sizes over and over and fresh pages cost more than the arithmetic on them.
// Blocks are not initialised: each holds whatever its last user left there.
//
// Read next: tensor.h, the only user.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/real.h"

namespace smoe {

// Owns one block of `count` reals. Released blocks go to a cache of free ones. Thread-safe.
class Storage {
  public:
    explicit Storage(int64_t count);  // throws std::bad_alloc if there is no memory
    ~Storage();
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

    real* data() { return data_; }

  private:
    real* data_ = nullptr;
    size_t bytes_ = 0;        // size class of what was asked for
    size_t block_bytes_ = 0;  // of the block, which may have been larger before
};

struct MemoryUse {
    int64_t live = 0;  // bytes in tensors now
    int64_t peak = 0;  // most bytes in tensors at once, since the start or the last reset_peak
    int64_t held = 0;  // bytes in all blocks, including the free ones
};
MemoryUse memory_use();
void reset_peak();

// Sets all to 0. Pages that lie within leave the process, and come back as zeros when somebody writes
// or reads there, so memory that stands idle for a while costs nothing meanwhile.
void zero_and_release(std::span<real> numbers);

// Gives the free blocks back to the system, and forgets how much it had reason to hold. Live
// tensors are not touched.
void release_cached_memory();

}  // namespace smoe
