// One dim of a Variable, for the ops that work along it: the check, and the three numbers by which
// every loop along it finds its elements.
// Read next: reduce.cpp.
#pragma once

#include <vector>

#include "autograd/ops/inputs.h"
#include "autograd/variable.h"
#include "core/check.h"

namespace smoe {

// Element (o, d, i) of the (outer, size, inner) that a tensor is along one of its dims is number
// (o * size + d) * inner + i.
struct Dim {
    int index;      // counted from the front
    int64_t outer;  // product of the sizes before it
    int64_t size;
    int64_t inner;  // product of the sizes after it
};

// Throws Error, naming `op`, for an undefined x and for a dim that it lacks. Negative dims count
// from the end, -1 is the last.
inline Dim find_dim(const char* op, const Variable& x, int dim) {
    check_defined(op, x);
    const int rank = x.shape().rank();
    check(dim >= -rank && dim < rank, "{}: shape {} has no dim {}", op, x.shape().str(), dim);
    Dim found{dim < 0 ? dim + rank : dim, 1, 0, 1};
    found.size = x.shape()[found.index];
    if (x.shape().numel() > 0) {  // else no loop runs, and the products could overflow
        for (int d = 0; d < rank; ++d) {
            found.outer *= d < found.index ? x.shape()[d] : 1;
            found.inner *= d > found.index ? x.shape()[d] : 1;
        }
    }
    return found;
}

inline std::vector<int64_t> sizes_of(const Shape& shape) {
    std::vector<int64_t> sizes;
    for (int dim = 0; dim < shape.rank(); ++dim) {
        sizes.push_back(shape[dim]);
    }
    return sizes;
}

// `shape` with `size` in place of its size along `dim`.
inline Shape with_size(const Shape& shape, int dim, int64_t size) {
    std::vector<int64_t> sizes = sizes_of(shape);
    sizes[size_t(dim)] = size;
    return Shape(std::span<const int64_t>(sizes));
}

// `shape` without `dim`.
inline Shape without_dim(const Shape& shape, int dim) {
    std::vector<int64_t> sizes = sizes_of(shape);
    sizes.erase(sizes.begin() + dim);
    return Shape(std::span<const int64_t>(sizes));
}

}  // namespace smoe
