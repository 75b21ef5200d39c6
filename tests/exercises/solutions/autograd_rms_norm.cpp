// One solution of the exercise autograd_rms_norm.cpp; write your own first.
// Read next: tests/exercises/autograd_rms_norm.cpp, its test.
#include <cmath>

#include "autograd/ops.h"
#include "core/check.h"
#include "core/vector_math.h"

smoe::Variable rms_norm(const smoe::Variable& x, const smoe::Variable& weight) {
    using namespace smoe;
    const int64_t N = x.value().rows(), C = x.value().cols();
    check(weight.shape() == Shape{C}, "rms_norm: expected weight ({}) for x {}, found {}", C,
          x.shape().str(), weight.shape().str());
    const Tensor X = x.value(), W = weight.value();
    const Tensor out = Tensor::empty(x.shape()), factors = Tensor::empty({N});
    for (int64_t n = 0; n < N; ++n) {
        const real* const row = X.data() + n * C;
        const real factor = 1 / std::sqrt(dot(row, row, C) / real(C) + real(1e-5));
        factors.data()[n] = factor;
        for (int64_t c = 0; c < C; ++c) {
            out.data()[n * C + c] = row[c] * factor * W.data()[c];
        }
    }
    return record("rms_norm", out, {x, weight},
                  [X, W, factors, N, C](const Tensor& dout, std::span<Tensor* const> din) {
                      for (int64_t n = 0; n < N; ++n) {
                          const real* const row = X.data() + n * C;
                          const real* const d = dout.data() + n * C;
                          const real factor = factors.data()[n];
                          real shared =
                              0;  // sum of d * weight * x, which reaches x through the factor
                          for (int64_t c = 0; c < C; ++c) {
                              shared += d[c] * W.data()[c] * row[c];
                          }
                          for (int64_t c = 0; c < C; ++c) {
                              if (din[0] != nullptr) {
                                  din[0]->data()[n * C + c] +=
                                      factor * (d[c] * W.data()[c] -
                                                row[c] * factor * factor * shared / real(C));
                              }
                              if (din[1] != nullptr) {
                                  din[1]->data()[c] += d[c] * row[c] * factor;
                              }
                          }
                      }
                  });
}
