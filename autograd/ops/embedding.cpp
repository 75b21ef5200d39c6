// Selecting by id: a row per id (embedding), an element per row (pick). Forward copies; backward
// adds to the places that were copied from, some of them many times.
// Read next: normalise.cpp.
#include "autograd/ops.h"
#include "autograd/ops/inputs.h"
#include "core/check.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

Variable embedding(const Variable& weight, const std::vector<int32_t>& ids) {
    check(weight.shape().rank() == 2, "embedding: expected a weight of shape (V, C), found {}",
          weight.shape().str());
    const int64_t N = int64_t(ids.size()), C = weight.shape()[1];
    check_ids("embedding", "id", ids, N, weight.shape()[0]);
    const Tensor out = Tensor::empty({N, C});
    // out[n] = weight[ids[n]]
    parallel_for(N, row_grain(C), [&](int64_t begin, int64_t end) {
        for (int64_t n = begin; n < end; ++n) {
            std::copy_n(weight.value().data() + ids[size_t(n)] * C, C, out.data() + n * C);
        }
    });
    return record("embedding", out, {weight},
                  [ids, N, C](const Tensor& dout, std::span<Tensor* const> din) {
                      // dweight[ids[n]] += dout[n]. An id may occur many times, so threads share
                      // the columns among them, not the rows.
                      constexpr int64_t columns = 32;
                      parallel_for(C, columns, [&](int64_t begin, int64_t end) {
                          for (int64_t n = 0; n < N; ++n) {
                              axpy(end - begin, 1, dout.data() + n * C + begin,
                                   din[0]->data() + ids[size_t(n)] * C + begin);
                          }
                      });
                  });
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
