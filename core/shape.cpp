// Shape: checked construction, axes and printing. A product of sizes that would overflow is found
// before it is computed.
// Read next: tensor.cpp.
#include "core/shape.h"

#include "core/check.h"

namespace smoe {

Shape::Shape(std::span<const int64_t> sizes) : rank_(int(sizes.size())) {
    check(sizes.size() <= max_rank, "shape: at most {} axes are supported, found {}", int(max_rank),
          sizes.size());
    constexpr int64_t limit = int64_t(1) << 48;
    for (int axis = 0; axis < rank_; ++axis) {
        const int64_t size = sizes[size_t(axis)];
        check(size >= 0, "shape: axis {} has the negative size {}", axis, size);
        check(size == 0 || numel_ <= limit / size,
              "shape: axis {} of size {} would make more than 2^48 elements", axis, size);
        sizes_[size_t(axis)] = size;
        numel_ *= size;
    }
}

int64_t Shape::operator[](int axis) const {
    const int index = axis < 0 ? axis + rank_ : axis;
    if (index < 0 || index >= rank_) {
        // No check(): it would build the text of str() on every call.
        fail("shape: {} has no axis {}", str(), axis);
    }
    return sizes_[size_t(index)];
}

std::string Shape::str() const {
    std::string text = "(";
    for (int axis = 0; axis < rank_; ++axis) {
        text += fmt::format("{}{}", axis ? ", " : "", sizes_[size_t(axis)]);
    }
    return text + ")";
}

}  // namespace smoe
