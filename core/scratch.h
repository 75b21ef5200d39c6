// Working memory of a kernel: a few buffers for each thread, kept from call to call, because a
// kernel asks for the same sizes thousands of times a step. Results must not stay there: the next
// kernel on the thread overwrites them.
// Read next: autograd/ops/dropout.cpp, the first user.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/real.h"

namespace smoe {

// Buffer number `slot` (0 to 5) of the calling thread, with room for at least `count` numbers, at
// the beginning of a cache line; it holds whatever was left there. Valid until the thread asks for
// that slot again.
inline real* scratch(size_t slot, int64_t count) {
    constexpr size_t cache_line = 64;
    thread_local std::array<std::vector<real>, 6> buffers;
    std::vector<real>& buffer = buffers.at(slot);
    const size_t needed = size_t(count) + cache_line / sizeof(real);
    if (buffer.size() < needed) {
        buffer.resize(needed);
    }
    void* begin = buffer.data();
    size_t space = needed * sizeof(real);
    return static_cast<real*>(std::align(cache_line, size_t(count) * sizeof(real), begin, space));
}

}  // namespace smoe
