// Tensor: creation, views and copies. A view is the same storage with a different shape and a
// different first number; nothing else in the project needs to know how.
// Read next: autograd/variable.h.
#include "core/tensor.h"

#include <algorithm>

#include "core/check.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

Tensor Tensor::empty(const Shape& shape) {
    Tensor tensor;
    tensor.shape_ = shape;
    tensor.storage_ = std::make_shared<Storage>(shape.numel());
    tensor.data_ = tensor.storage_->data();
    return tensor;
}

Tensor Tensor::zeros(const Shape& shape) {
    return full(shape, 0);
}

Tensor Tensor::full(const Shape& shape, real value) {
    Tensor tensor = empty(shape);
    tensor.fill(value);
    return tensor;
}

Tensor Tensor::from(const Shape& shape, std::span<const real> values) {
    check(int64_t(values.size()) == shape.numel(),
          "tensor: shape {} has {} elements, {} were given", shape.str(), shape.numel(),
          values.size());
    Tensor tensor = empty(shape);
    std::copy(values.begin(), values.end(), tensor.data_);
    return tensor;
}

Tensor Tensor::from(const Shape& shape, std::initializer_list<real> values) {
    return from(shape, std::span<const real>(values.begin(), values.size()));
}

real Tensor::item() const {
    check(defined() && numel() == 1, "tensor: item() needs exactly one element, the shape is {}",
          shape_.str());
    return data_[0];
}

Tensor Tensor::reshape(const Shape& shape) const {
    check(shape.numel() == numel(), "tensor: cannot reshape {} to {}", shape_.str(), shape.str());
    Tensor view = *this;
    view.shape_ = shape;
    return view;
}

Tensor Tensor::narrow(int64_t start, int64_t length) const {
    check(shape_.rank() >= 1 && start >= 0 && length >= 0 && start <= shape_[0] - length,
          "tensor: there are no {} rows from row {} in shape {}", length, start, shape_.str());
    std::vector<int64_t> sizes;
    int64_t stride = 1;
    for (int dim = 0; dim < shape_.rank(); ++dim) {
        sizes.push_back(dim == 0 ? length : shape_[dim]);
        stride *= dim == 0 ? 1 : shape_[dim];
    }
    Tensor view = *this;
    view.shape_ = Shape(std::span<const int64_t>(sizes));
    view.data_ += start * stride;
    return view;
}

Tensor Tensor::clone() const {
    Tensor copy = empty(shape_);
    copy.copy_from(*this);
    return copy;
}

void Tensor::fill(real value) const {
    parallel_for(numel(), elementwise_grain,
                 [&](int64_t begin, int64_t end) { std::fill(data_ + begin, data_ + end, value); });
}

void Tensor::copy_from(const Tensor& other) const {
    check(defined() && other.defined(), "tensor: one that is undefined cannot be copied");
    check(other.shape_ == shape_, "tensor: cannot copy shape {} into shape {}", other.shape_.str(),
          shape_.str());
    std::copy_n(other.data_, numel(), data_);
}

}  // namespace smoe
