// What comes next in one of several texts that are processed token by token.
// Read next: incremental_decoder.h, which appends them.
#pragma once

#include <cstdint>

#include "nn/routing.h"

namespace smoe {

struct NextToken {
    int32_t slot;  // of the text
    int32_t token;
    int32_t expert;  // that processes it, or no_expert: the dense network
};

}  // namespace smoe
