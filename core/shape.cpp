// Shape: checked construction, dims and printing. A product of sizes that would overflow is
// detected before it is computed.
// Read next: tensor.cpp.
#include "core/shape.h"

#include "core/check.h"

namespace smoe {

Shape::Shape(std::span<const int64_t> sizes) : rank_(int(sizes.size())) {
    check(sizes.size() <= max_rank, "shape: at most {} dimensions are supported, found {}",
          int(max_rank), sizes.size());
    constexpr int64_t limit = int64_t(1) << 48;
    for (int dim = 0; dim < rank_; ++dim) {
        const int64_t size = sizes[size_t(dim)];
        check(size >= 0, "shape: dim {} has the negative size {}", dim, size);
        check(size == 0 || numel_ <= limit / size,
              "shape: dim {} of size {} would make more than 2^48 elements", dim, size);
        sizes_[size_t(dim)] = size;
        numel_ *= size;
    }
}

int64_t Shape::operator[](int dim) const {
    const int index = dim < 0 ? dim + rank_ : dim;
    if (index < 0 || index >= rank_) {
        // Not by check(), which would build the text of str() on every call.
        fail("shape: {} has no dim {}", str(), dim);
    }
    return sizes_[size_t(index)];
}

std::string Shape::str() const {
    std::string text = "(";
    for (int dim = 0; dim < rank_; ++dim) {
        text += fmt::format("{}{}", dim ? ", " : "", sizes_[size_t(dim)]);
    }
    return text + ")";
}

}  // namespace smoe
