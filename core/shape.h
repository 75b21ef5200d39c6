// The extent of a tensor along each dim: at most four numbers, row-major, none negative.
// It has no strides: every tensor here is contiguous.
//
// Read next: tensor.h.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace smoe {

class Shape {
  public:
    static constexpr int max_rank = 4;

    Shape() = default;  // rank 0: a single number
    Shape(std::initializer_list<int64_t> sizes)
        : Shape(std::span<const int64_t>(sizes.begin(), sizes.size())) {}
    // Throws Error for more than four dimensions, a negative size, or more elements than 2^48.
    explicit Shape(std::span<const int64_t> sizes);

    int rank() const { return rank_; }
    int64_t numel() const { return numel_; }

    // Size along `dim`; negative dims count from the end, -1 is the last. Throws Error for a dim
    // that is not there.
    int64_t operator[](int dim) const;

    std::string str() const;  // "(2, 3)"
    bool operator==(const Shape&) const = default;

  private:
    std::array<int64_t, max_rank> sizes_ = {};
    int rank_ = 0;
    int64_t numel_ = 1;
};

}  // namespace smoe
