// Selecting by id: a row per id (embedding), the same along any dim (index_select), an element per
// row (pick). Forward copies. Backward adds to the places that were copied from, to some of them
// many times.
// Read next: normalise.cpp.
#include "autograd/ops.h"
#include "autograd/ops/dim.h"
#include "autograd/ops/inputs.h"
#include "core/check.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

namespace {

// out[o, k, :] = x[o, ids[k], :]
Variable select(const char* name, const Variable& x, const Dim& dim,
                const std::vector<int32_t>& ids) {
    const auto [index, outer, size, inner] = dim;
    const int64_t K = int64_t(ids.size());
    const Tensor out = Tensor::empty(with_size(x.shape(), index, K));
    const int64_t lists = out.numel() > 0 ? outer : 0;
    const real* const from = x.value().data();
    parallel_for(
        lists * K, row_grain(inner), [&, inner = inner, size = size](int64_t begin, int64_t end) {
            for (int64_t row = begin; row < end; ++row) {
                const int64_t o = row / K, id = ids[size_t(row % K)];
                std::copy_n(from + (o * size + id) * inner, inner, out.data() + row * inner);
            }
        });
    return record(name, out, {x},
                  [ids, lists, K, size = size, inner = inner](const Tensor& dout,
                                                              std::span<Tensor* const> din) {
                      // dx[o, ids[k], :] += dout[o, k, :]. An id may occur many times, so threads
                      // divide the columns among them, not the rows.
                      constexpr int64_t columns = 32;
                      const int64_t strips = (inner + columns - 1) / columns;
                      const int64_t grain = row_grain(K * std::min(columns, inner));
                      parallel_for(lists * strips, grain, [&](int64_t begin, int64_t end) {
                          for (int64_t strip = begin; strip < end; ++strip) {
                              const int64_t o = strip / strips, first = strip % strips * columns;
                              const int64_t count = std::min(columns, inner - first);
                              for (int64_t k = 0; k < K; ++k) {
                                  axpy(
                                      count, 1, dout.data() + (o * K + k) * inner + first,
                                      din[0]->data() + (o * size + ids[size_t(k)]) * inner + first);
                              }
                          }
                      });
                  });
}

}  // namespace

Variable embedding(const Variable& weight, const std::vector<int32_t>& ids) {
    check(weight.shape().rank() == 2, "embedding: expected a weight of shape (V, C), found {}",
          weight.shape().str());
    check_ids("embedding", "id", ids, int64_t(ids.size()), weight.shape()[0]);
    return select("embedding", weight, find_dim("embedding", weight, 0), ids);
}

Variable index_select(const Variable& x, int dim, const std::vector<int32_t>& index) {
    const Dim along = find_dim("index_select", x, dim);
    check_ids("index_select", "index", index, int64_t(index.size()), along.size);
    return select("index_select", x, along, index);
}

Variable pick(const Variable& x, const std::vector<int32_t>& ids) {
    check_defined("pick", x);
    const int64_t N = x.value().rows(), K = x.value().cols();
    check_ids("pick", "id", ids, N, K);
    const Tensor out = Tensor::empty({N});
    for (int64_t n = 0; n < N; ++n) {  // out[n] = x[n, ids[n]]
        out.data()[n] = x.value().data()[n * K + ids[size_t(n)]];
    }
    return record("pick", out, {x}, [ids, N, K](const Tensor& dout, std::span<Tensor* const> din) {
        for (int64_t n = 0; n < N; ++n) {  // dx[n, ids[n]] += dout[n]
            din[0]->data()[n * K + ids[size_t(n)]] += dout.data()[n];
        }
    });
}

}  // namespace smoe
