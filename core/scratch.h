// Working memory of a kernel: a few buffers for each thread, kept from call to call, because a
// kernel asks for the same sizes thousands of times a step. Results must not stay there: the next
// kernel on the thread overwrites them.
// Read next: autograd/ops/dropout.cpp, the first user.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/real.h"

namespace smoe {

// Buffer number `slot` (0 to 5) of the calling thread, with room for at least `count` numbers; it
// holds whatever was left there. Valid until the thread asks for that slot again.
inline real* scratch(size_t slot, int64_t count) {
    thread_local std::array<std::vector<real>, 6> buffers;
    std::vector<real>& buffer = buffers.at(slot);
    if (int64_t(buffer.size()) < count) {
        buffer.resize(size_t(count));
    }
    return buffer.data();
}

}  // namespace smoe
