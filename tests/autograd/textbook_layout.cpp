// The loops that go by the index of an element, for a tensor of any rank, along any dim. Each
// result is filled element by element from the place that its index names.
// Read next: op_table.cpp.
#include <array>

#include "tests/autograd/textbook.h"

namespace smoe::textbook {
namespace {

using Index = std::array<int64_t, Shape::max_rank>;

// The index of element number i.
Index index_of(const Shape& shape, int64_t i) {
    Index index = {};
    for (int d = shape.rank(); d-- > 0; i /= shape[d]) {
        index[size_t(d)] = i % shape[d];
    }
    return index;
}

real& at(const Tensor& x, const Index& index) {
    int64_t i = 0;
    for (int d = 0; d < x.shape().rank(); ++d) {
        i = i * x.size(d) + index[size_t(d)];
    }
    return x.data()[i];
}

size_t from_front(const Tensor& x, int dim) {
    return size_t(dim < 0 ? dim + x.shape().rank() : dim);
}

std::vector<int64_t> sizes_of(const Tensor& x) {
    std::vector<int64_t> sizes;
    for (int d = 0; d < x.shape().rank(); ++d) {
        sizes.push_back(x.size(d));
    }
    return sizes;
}

// A tensor of these sizes whose element at `index` is that of x at from(index).
Tensor moved(const std::vector<int64_t>& sizes, const std::function<real(Index)>& from) {
    const Tensor y = Tensor::empty(Shape(std::span<const int64_t>(sizes)));
    for (int64_t i = 0; i < y.numel(); ++i) {
        y.data()[i] = from(index_of(y.shape(), i));
    }
    return y;
}

}  // namespace

void for_each_list(const Tensor& x, int dim,
                   const std::function<void(int64_t, const std::vector<real*>&)>& body) {
    int64_t number = 0;
    for (int64_t i = 0; i < x.numel(); ++i) {
        Index index = index_of(x.shape(), i);
        if (index[from_front(x, dim)] == 0) {
            std::vector<real*> list;
            for (int64_t d = 0; d < x.size(dim); ++d) {
                index[from_front(x, dim)] = d;
                list.push_back(&at(x, index));
            }
            body(number++, list);
        }
    }
}

Tensor reduce(const Tensor& x, const std::function<double(const std::vector<double>&)>& f) {
    return Tensor::full({}, real(f({x.values().begin(), x.values().end()})));
}

Tensor reduce(const Tensor& x, int dim,
              const std::function<double(const std::vector<double>&)>& f) {
    std::vector<int64_t> sizes = sizes_of(x);
    sizes.erase(sizes.begin() + int64_t(from_front(x, dim)));
    const Tensor y = Tensor::zeros(Shape(std::span<const int64_t>(sizes)));  // the sum of no number
    for_each_list(x, dim, [&](int64_t number, const std::vector<real*>& list) {
        std::vector<double> numbers;
        for (const real* const element : list) {
            numbers.push_back(*element);
        }
        y.data()[number] = real(f(numbers));
    });
    return y;
}

Tensor mse_loss(const Tensor& x, const Tensor& target) {
    double total = 0;
    for (int64_t i = 0; i < x.numel(); ++i) {
        const double gap = double(x.data()[i]) - double(target.data()[i]);
        total += gap * gap;
    }
    return Tensor::full({}, real(total / double(x.numel())));
}

Tensor transpose(const Tensor& x, int dim0, int dim1) {
    const size_t p = from_front(x, dim0), q = from_front(x, dim1);
    std::vector<int64_t> sizes = sizes_of(x);
    std::swap(sizes[p], sizes[q]);
    return moved(sizes, [&](Index index) {
        std::swap(index[p], index[q]);
        return at(x, index);
    });
}

Tensor cat(const std::vector<Tensor>& parts, int dim) {
    const size_t d = from_front(parts[0], dim);
    std::vector<int64_t> sizes = sizes_of(parts[0]);
    sizes[d] = 0;
    for (const Tensor& part : parts) {
        sizes[d] += part.size(dim);
    }
    return moved(sizes, [&](Index index) {
        size_t part = 0;
        for (; index[d] >= parts[part].size(dim); ++part) {
            index[d] -= parts[part].size(dim);
        }
        return at(parts[part], index);
    });
}

Tensor narrow(const Tensor& x, int dim, int64_t start, int64_t length) {
    std::vector<int64_t> sizes = sizes_of(x);
    sizes[from_front(x, dim)] = length;
    return moved(sizes, [&](Index index) {
        index[from_front(x, dim)] += start;
        return at(x, index);
    });
}

Tensor index_select(const Tensor& x, int dim, const std::vector<int32_t>& index) {
    std::vector<int64_t> sizes = sizes_of(x);
    sizes[from_front(x, dim)] = int64_t(index.size());
    return moved(sizes, [&](Index place) {
        place[from_front(x, dim)] = index[size_t(place[from_front(x, dim)])];
        return at(x, place);
    });
}

}  // namespace smoe::textbook
