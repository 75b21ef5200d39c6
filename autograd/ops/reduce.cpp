// Sum and mean, of all elements or along one dim, and max along one. Like every sum across threads
// in this project, they are added up in blocks that depend only on the size.
// Read next: linear.cpp.
#include <cmath>

#include "autograd/ops.h"
#include "autograd/ops/dim.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/inputs.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

// factor * (sum of all elements of x), summed in fixed blocks so that threads do not change it.
Variable scaled_sum(const char* name, const Variable& x, real factor) {
    check_defined(name, x);
    const int64_t count = x.shape().numel();
    const int64_t blocks = (count + elementwise_grain - 1) / elementwise_grain;
    const Tensor partial = Tensor::empty({blocks});
    parallel_for(count, elementwise_grain, [&](int64_t begin, int64_t end) {
        partial.data()[begin / elementwise_grain] = sum(x.value().data() + begin, end - begin);
    });
    const Tensor out = Tensor::full({}, factor * sum(partial.data(), blocks));
    return record(name, out, {x}, [factor](const Tensor& dout, std::span<Tensor* const> din) {
        const real g = factor * dout.item();  // dx[i] = factor * dout for every i
        for (real& dx : din[0]->values()) {
            dx += g;
        }
    });
}

// to[o, i] += sum over d of x[o, d, i]
void add_along(const Dim& dim, const real* x, real* to) {
    if (dim.inner > 1 && dim.outer == 1) {
        add_column_sums(x, dim.size, dim.inner, to);
        return;
    }
    parallel_for(dim.outer, row_grain(dim.size * dim.inner), [&](int64_t begin, int64_t end) {
        for (int64_t o = begin; o < end; ++o) {
            const real* const from = x + o * dim.size * dim.inner;
            if (dim.inner == 1) {
                to[o] += sum(from, dim.size);
                continue;
            }
            for (int64_t d = 0; d < dim.size; ++d) {
                axpy(dim.inner, 1, from + d * dim.inner, to + o * dim.inner);
            }
        }
    });
}

// dx[o, d, i] += factor * dout[o, i]
void spread_along(const Dim& dim, real factor, const real* dout, real* dx) {
    for_each_run(dim.outer * dim.size, dim.size, row_grain(dim.inner),
                 [&](int64_t first, int64_t, int64_t length) {
                     const real* const g = dout + first / dim.size * dim.inner;
                     if (dim.inner == 1) {
#pragma omp simd
                         for (int64_t row = first; row < first + length; ++row) {
                             dx[row] += factor * *g;
                         }
                         return;
                     }
                     for (int64_t row = first; row < first + length; ++row) {
                         axpy(dim.inner, factor, g, dx + row * dim.inner);
                     }
                 });
}

// factor * (sum of x along one dim)
Variable scaled_sum(const char* name, const Variable& x, const Dim& dim, real factor) {
    const Tensor out = Tensor::zeros(without_dim(x.shape(), dim.index));
    const bool any = x.shape().numel() > 0;
    if (any) {
        add_along(dim, x.value().data(), out.data());
        for_each(out.numel(), [factor, y = out.data()](int64_t i) { y[i] *= factor; });
    }
    return record(name, out, {x},
                  [dim, factor, any](const Tensor& dout, std::span<Tensor* const> din) {
                      if (any) {
                          spread_along(dim, factor, dout.data(), din[0]->data());
                      }
                  });
}

}  // namespace

Variable sum(const Variable& x) {
    return scaled_sum("sum", x, 1);
}

Variable sum(const Variable& x, int dim) {
    return scaled_sum("sum", x, find_dim("sum", x, dim), 1);
}

Variable mean(const Variable& x) {
    check(x.value().numel() > 0, "mean: shape {} has no elements", x.shape().str());
    return scaled_sum("mean", x, real(1) / real(x.shape().numel()));
}

Variable mean(const Variable& x, int dim) {
    const Dim along = find_dim("mean", x, dim);
    check(along.size > 0, "mean: shape {} has no elements along dim {}", x.shape().str(), dim);
    return scaled_sum("mean", x, along, real(1) / real(along.size));
}

Variable max(const Variable& x, int dim) {
    const Dim along = find_dim("max", x, dim);
    const auto [index, outer, D, inner] = along;
    check(D > 0, "max: shape {} has no elements along dim {}", x.shape().str(), dim);
    const Tensor out = Tensor::empty(without_dim(x.shape(), index));
    std::vector<int64_t> places(size_t(out.numel()));  // of the maxima in x
    // At least a few hundred results, so that threads do not write to the same cache lines.
    const int64_t grain = std::max<int64_t>(256, row_grain(D));
    for_each_run(out.numel(), inner, grain,
                 [D = D, inner = inner, x = x.value().data(), y = out.data(), at = places.data()](
                     int64_t first, int64_t place, int64_t length) {
                     int64_t from = first / inner * D * inner + place;
                     for (int64_t i = first; i < first + length; ++i) {
                         at[i] = from + i - first;
                         y[i] = x[at[i]];
                     }
                     for (int64_t d = 1; d < D; ++d) {
                         from += inner;
                         for (int64_t i = first; i < first + length; ++i) {
                             const real value = x[from + i - first];
                             // The first of equals wins, and a NaN wins over all.
                             if (!(value <= y[i]) && !std::isnan(y[i])) {
                                 at[i] = from + i - first;
                                 y[i] = value;
                             }
                         }
                     }
                 });
    return record("max", out, {x},
                  [places = std::move(places)](const Tensor& dout, std::span<Tensor* const> din) {
                      // dx[place of the maximum] += dout; no two maxima share a place
                      for_each(dout.numel(),
                               [dx = din[0]->data(), g = dout.data(),
                                at = places.data()](int64_t i) { dx[at[i]] += g[i]; });
                  });
}

}  // namespace smoe
