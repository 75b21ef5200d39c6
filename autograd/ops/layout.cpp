// The same numbers in a different order or a different tensor: transpose, cat, narrow. Each copies,
// because a tensor is contiguous and no view of it is transposed or cut along a later dim.
// Read next: embedding.cpp, which copies by id.
#include <algorithm>

#include "autograd/ops.h"
#include "autograd/ops/dim.h"
#include "autograd/ops/elementwise.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

// to = or += from
template <bool accumulate>
void put(int64_t count, const real* from, real* to) {
    if (accumulate) {
        axpy(count, 1, from, to);
    } else {
        std::copy_n(from, count, to);
    }
}

// A matrix within a larger one: from one row to the next it may be more than `cols` numbers.
template <class Number>
struct Block {
    Number* data;
    int64_t stride;
};

template <bool accumulate>
void put_block(int64_t rows, int64_t cols, Block<const real> from, Block<real> to) {
    for_each_run(rows * cols, cols, elementwise_grain,
                 [=](int64_t first, int64_t place, int64_t length) {
                     const int64_t row = first / cols;
                     put<accumulate>(length, from.data + row * from.stride + place,
                                     to.data + row * to.stride + place);
                 });
}

// A tensor (outer, p, between, q, inner) of which dims p and q change places.
struct Swap {
    int64_t outer, p, between, q, inner;
    Swap reversed() const { return {outer, q, between, p, inner}; }
};

// to[o, j, b, i, :] = or += from[o, i, b, j, :]
template <bool accumulate>
void swap_dims(const Swap& s, const real* from, real* to) {
    // Squares of `tile` by `tile`: a row of one of the two tensors is a column of the other, and
    // each cache line fetched for a column also serves the next columns.
    constexpr int64_t tile = 16;
    const int64_t row = s.between * s.p * s.inner;
    const int64_t grain = std::max(tile, row_grain(row) / tile * tile);
    parallel_for(s.outer * s.q, grain, [&](int64_t begin, int64_t end) {
        for (int64_t square = begin; square < end; square += tile) {
            for (int64_t first = 0; first < s.p; first += tile) {
                for (int64_t r = square; r < std::min(end, square + tile); ++r) {
                    const int64_t o = r / s.q, j = r % s.q;
                    for (int64_t b = 0; b < s.between; ++b) {
                        const real* source =
                            from + (((o * s.p + first) * s.between + b) * s.q + j) * s.inner;
                        real* target = to + r * row + (b * s.p + first) * s.inner;
                        for (int64_t i = first; i < std::min(s.p, first + tile); ++i) {
                            if (s.inner == 1) {
                                *target = accumulate ? *target + *source : *source;
                            } else {
                                put<accumulate>(s.inner, source, target);
                            }
                            source += s.between * s.q * s.inner;
                            target += s.inner;
                        }
                    }
                }
            }
        }
    });
}

}  // namespace

Variable transpose(const Variable& x, int dim0, int dim1) {
    Dim p = find_dim("transpose", x, dim0), q = find_dim("transpose", x, dim1);
    if (p.index > q.index) {
        std::swap(p, q);
    }
    std::vector<int64_t> sizes = sizes_of(x.shape());
    std::swap(sizes[size_t(p.index)], sizes[size_t(q.index)]);
    const bool same = p.index == q.index, any = x.shape().numel() > 0;
    const Swap swap = same || !any
                          ? Swap{1, 1, 1, 1, x.shape().numel()}
                          : Swap{p.outer, p.size, p.inner / (q.size * q.inner), q.size, q.inner};
    const Tensor out = Tensor::empty(Shape(std::span<const int64_t>(sizes)));
    swap_dims<false>(swap, x.value().data(), out.data());
    return record("transpose", out, {x}, [swap](const Tensor& dout, std::span<Tensor* const> din) {
        swap_dims<true>(swap.reversed(), dout.data(), din[0]->data());  // dx = dout, swapped back
    });
}

Variable cat(const std::vector<Variable>& parts, int dim) {
    check(!parts.empty(), "cat: there is nothing to join");
    const Dim along = find_dim("cat", parts[0], dim);
    int64_t total = 0;
    for (const Variable& part : parts) {
        check_defined("cat", part);
        const Shape& shape = part.shape();
        check(shape.rank() == parts[0].shape().rank() &&
                  with_size(shape, along.index, along.size) == parts[0].shape(),
              "cat: shapes may differ along dim {} alone, found {} and {}", dim,
              parts[0].shape().str(), shape.str());
        total += shape[along.index];
    }
    const Tensor out = Tensor::empty(with_size(parts[0].shape(), along.index, total));
    // In each of the `outer` rows of the result, part p is numbers begin[p] to begin[p + 1] - 1.
    const int64_t outer = out.numel() > 0 ? find_dim("cat", Variable(out), dim).outer : 0;
    const int64_t stride = outer > 0 ? out.numel() / outer : 0;
    std::vector<int64_t> begin = {0};
    for (const Variable& part : parts) {
        const int64_t cols = outer > 0 ? part.shape().numel() / outer : 0;
        put_block<false>(outer, cols, {part.value().data(), cols},
                         {out.data() + begin.back(), stride});
        begin.push_back(begin.back() + cols);
    }
    return record("cat", out, std::span(parts),
                  [begin, outer, stride](const Tensor& dout, std::span<Tensor* const> din) {
                      for (size_t p = 0; p < din.size(); ++p) {
                          if (din[p] != nullptr) {  // dpart = its columns of dout
                              const int64_t cols = begin[p + 1] - begin[p];
                              put_block<true>(outer, cols, {dout.data() + begin[p], stride},
                                              {din[p]->data(), cols});
                          }
                      }
                  });
}

Variable narrow(const Variable& x, int dim, int64_t start, int64_t length) {
    const auto [index, outer, size, inner] = find_dim("narrow", x, dim);
    check(start >= 0 && length >= 0 && start <= size - length,
          "narrow: dim {} of shape {} has no {} elements from {} on", dim, x.shape().str(), length,
          start);
    const Tensor out = Tensor::empty(with_size(x.shape(), index, length));
    const int64_t cols = length * inner, stride = size * inner, skipped = start * inner;
    const int64_t rows = out.numel() > 0 ? outer : 0;
    put_block<false>(rows, cols, {x.value().data() + skipped, stride}, {out.data(), cols});
    return record("narrow", out, {x}, [=](const Tensor& dout, std::span<Tensor* const> din) {
        // dx[start .. start + length - 1] = dout
        put_block<true>(rows, cols, {dout.data(), cols}, {din[0]->data() + skipped, stride});
    });
}

}  // namespace smoe
