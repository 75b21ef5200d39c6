// What many ops check of their inputs: that an input is defined, and the whole numbers for each row
// (ids, experts, targets). It leaves shapes to each op.
// Read next: embedding.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "autograd/variable.h"
#include "core/check.h"

namespace smoe {

// Throws Error, naming `op`, for an undefined Variable.
inline void check_defined(const char* op, const Variable& x) {
    check(x.defined(), "{}: an input is undefined: a Variable that nothing was assigned to", op);
}

// Throws Error, naming `op` and `what` the ids are ("expert"), unless there is one for each of
// `rows` rows and all lie in [0, count).
inline void check_ids(const char* op, const char* what, const std::vector<int32_t>& ids,
                      int64_t rows, int64_t count) {
    check(int64_t(ids.size()) == rows, "{}: expected one {} for each of {} rows, found {}", op,
          what, rows, ids.size());
    for (const int32_t id : ids) {
        check(id >= 0 && id < count, "{}: {} {} is not in [0, {})", op, what, id, count);
    }
}

}  // namespace smoe
