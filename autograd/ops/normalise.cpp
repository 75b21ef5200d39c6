// Along the last axis: softmax and layer_norm.
#include <cmath>

#include "autograd/ops.h"
#include "core/check.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

Variable softmax(const Variable& x) {
    const int64_t N = x.value().rows(), C = x.value().cols();
    const Tensor out = x.value().clone();
    // out = exp(x - max) / sum of exp(x - max)
    parallel_for(N, row_grain(C), [&](int64_t begin, int64_t end) {
        for (int64_t n = begin; n < end; ++n) {
            real* const y = out.data() + n * C;
            const real factor = 1 / exp_and_sum(y, C, 1, largest(y, C));
            for (int64_t c = 0; c < C; ++c) {
                y[c] *= factor;
            }
        }
    });
    return record("softmax", out, {x},
                  [out, N, C](const Tensor& dout, std::span<Tensor* const> din) {
                      // dx[c] = y[c] (dout[c] - sum over j of y[j] dout[j])
                      parallel_for(N, row_grain(C), [&](int64_t begin, int64_t end) {
                          for (int64_t n = begin; n < end; ++n) {
                              const real* const y = out.data() + n * C;
                              const real* const g = dout.data() + n * C;
                              real* const dx = din[0]->data() + n * C;
                              const real shared = dot(y, g, C);
                              for (int64_t c = 0; c < C; ++c) {
                                  dx[c] += y[c] * (g[c] - shared);
                              }
                          }
                      });
                  });
}

Variable layer_norm(const Variable& x, const Variable& weight, const Variable& bias, real eps) {
    const int64_t N = x.value().rows(), C = x.value().cols();
    check(weight.shape() == Shape{C} && bias.shape() == Shape{C},
          "layer_norm: x {} needs weight and bias of shape ({}), found {} and {}", x.shape().str(),
          C, weight.shape().str(), bias.shape().str());
    const Tensor X = x.value(), W = weight.value(), out = Tensor::empty(x.shape());
    const Tensor means = Tensor::empty({N}), rstds = Tensor::empty({N});
    parallel_for(N, row_grain(C), [&](int64_t begin, int64_t end) {
        for (int64_t n = begin; n < end; ++n) {
            const real* const from = X.data() + n * C;
            real* const to = out.data() + n * C;
            const real mean = sum(from, C) / real(C);
            real square = 0;
#pragma omp simd reduction(+ : square)
            for (int64_t c = 0; c < C; ++c) {
                square += (from[c] - mean) * (from[c] - mean);
            }
            const real rstd = 1 / std::sqrt(square / real(C) + eps);
            // out = (x - mean) * rstd * weight + bias
            const real* const w = W.data();
            const real* const b = bias.value().data();
#pragma omp simd
            for (int64_t c = 0; c < C; ++c) {
                to[c] = (from[c] - mean) * rstd * w[c] + b[c];
            }
            means.data()[n] = mean;
            rstds.data()[n] = rstd;
        }
    });
    return record("layer_norm", out, {x, weight, bias},
                  [X, W, means, rstds, N, C](const Tensor& dout, std::span<Tensor* const> din) {
                      // With xhat = (x - mean) * rstd and g = dout * weight:
                      //   dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), dweight = column sums
                      //   of dout * xhat, dbias = column sums of dout.
                      const bool weight_wanted = din[1] != nullptr;
                      const Tensor scaled =
                          weight_wanted ? Tensor::empty({N, C}) : Tensor();  // dout * xhat
                      parallel_for(N, row_grain(C), [&](int64_t begin, int64_t end) {
                          for (int64_t n = begin; n < end; ++n) {
                              const real* const from = X.data() + n * C;
                              const real* const g = dout.data() + n * C;
                              const real* const w = W.data();
                              const real mean = means.data()[n], rstd = rstds.data()[n];
                              if (din[0] != nullptr) {
                                  real sum_g = 0, sum_gx = 0;
#pragma omp simd reduction(+ : sum_g, sum_gx)
                                  for (int64_t c = 0; c < C; ++c) {
                                      sum_g += g[c] * w[c];
                                      sum_gx += g[c] * w[c] * (from[c] - mean) * rstd;
                                  }
                                  const real mean_g = sum_g / real(C), mean_gx = sum_gx / real(C);
                                  real* const dx = din[0]->data() + n * C;
#pragma omp simd
                                  for (int64_t c = 0; c < C; ++c) {
                                      const real xhat = (from[c] - mean) * rstd;
                                      dx[c] += rstd * (g[c] * w[c] - mean_g - xhat * mean_gx);
                                  }
                              }
                              if (weight_wanted) {
                                  real* const to = scaled.data() + n * C;
#pragma omp simd
                                  for (int64_t c = 0; c < C; ++c) {
                                      to[c] = g[c] * (from[c] - mean) * rstd;
                                  }
                              }
                          }
                      });
                      if (din[1] != nullptr) {
                          add_column_sums(scaled.data(), N, C, din[1]->data());
                      }
                      if (din[2] != nullptr) {
                          add_column_sums(dout.data(), N, C, din[2]->data());
                      }
                  });
}

}  // namespace smoe
