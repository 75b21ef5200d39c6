// An n-dimensional array of `real`, contiguous and row-major. A Tensor is a handle: copies share
// the numbers, and so do reshape and narrow; clone copies them. const applies to the handle, as
// with a shared_ptr. Tensors compute nothing and have no gradients: kernels take their data
// pointers, and autograd/variable.h records. There are no strides, so no view is transposed or cut
// by columns; kernels take leading dimensions instead.
// Read next: autograd/variable.h.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/real.h"
#include "core/shape.h"
#include "core/storage.h"

namespace smoe {

class Tensor {
  public:
    Tensor() = default;  // undefined: no shape, no numbers

    static Tensor empty(const Shape& shape);  // numbers not initialised
    static Tensor zeros(const Shape& shape);
    static Tensor full(const Shape& shape, real value);
    // Throws Error unless values.size() is the shape's number of elements.
    static Tensor from(const Shape& shape, std::span<const real> values);
    static Tensor from(const Shape& shape, std::initializer_list<real> values);

    bool defined() const { return storage_ != nullptr; }
    const Shape& shape() const { return shape_; }
    int64_t size(int dim) const { return shape_[dim]; }  // negative dims count from the end
    int64_t numel() const { return defined() ? shape_.numel() : 0; }
    int64_t cols() const { return shape_.rank() == 0 ? 1 : shape_[-1]; }  // last dim
    int64_t rows() const { return cols() == 0 ? 0 : numel() / cols(); }  // all dimensions before it

    real* data() const { return data_; }
    std::span<real> values() const { return {data_, size_t(numel())}; }
    real item() const;  // the only number of a one-element tensor; throws Error otherwise

    // The same numbers under a different shape. Throws Error unless both have as many elements.
    Tensor reshape(const Shape& shape) const;
    // `length` rows of dimension 0 from row `start` on, sharing the numbers. Throws Error unless
    // they lie within [0, size(0)).
    Tensor narrow(int64_t start, int64_t length) const;
    Tensor clone() const;
    void fill(real value) const;
    // Throws Error unless both are defined and have the same shape.
    void copy_from(const Tensor& other) const;

  private:
    Shape shape_;
    std::shared_ptr<Storage> storage_;
    real* data_ = nullptr;
};

}  // namespace smoe
