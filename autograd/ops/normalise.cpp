// Along the last dim: softmax, layer_norm, layer_norm of a residual sum, and rms_norm. A row is
// read and written while it is in cache. The norms keep one or two numbers a row besides their
// input, and compute the rest again.
// Read next: attention.cpp.
#include "autograd/ops/normalise.h"

#include "autograd/ops.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/inputs.h"
#include "core/scratch.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

Variable softmax(const Variable& x) {
    check_defined("softmax", x);
    const int64_t N = x.value().rows(), C = x.value().cols();
    const Tensor out = x.value().clone();
    // out = exp(x - max) / sum of exp(x - max): the same as without max, but no exp overflows
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

namespace {

// What normalise_row did to s, with xhat = (s - mean) * rstd and g = dout * weight:
//     ds = rstd * (g - mean(g) - xhat * mean(g * xhat))
//     dweight += dout * xhat;  dbias += dout
void normalise_row_backward(int64_t count, const real* s, RowMoments moments, const real* weight,
                            const real* dout, real* ds, real* dweight, real* dbias) {
    const real mean = moments.mean, rstd = moments.rstd;
    real sum_g = 0, sum_gx = 0;
#pragma omp simd reduction(+ : sum_g, sum_gx)
    for (int64_t c = 0; c < count; ++c) {
        const real xhat = (s[c] - mean) * rstd;
        dweight[c] += dout[c] * xhat;
        dbias[c] += dout[c];
        sum_g += dout[c] * weight[c];
        sum_gx += dout[c] * weight[c] * xhat;
    }
    const real mean_g = sum_g / real(count), mean_gx = sum_gx / real(count);
#pragma omp simd
    for (int64_t c = 0; c < count; ++c) {
        const real xhat = (s[c] - mean) * rstd;
        ds[c] = rstd * (dout[c] * weight[c] - mean_g - xhat * mean_gx);
    }
}

// layer_norm of s = x, or of s = x + dropout(branch) if there is a branch, in one pass over a row
// while it is in cache.
Variable normalise(const char* name, const Variable& x, const Variable& branch,
                   const Variable& weight, const Variable& bias, double p, uint64_t seed,
                   real eps) {
    check_defined(name, x);
    const int64_t N = x.value().rows(), C = x.value().cols();
    check(weight.shape() == Shape{C} && bias.shape() == Shape{C},
          "{}: x {} needs weight and bias of shape ({}), found {} and {}", name, x.shape().str(), C,
          weight.shape().str(), bias.shape().str());
    const bool joined = branch.defined();
    const Tensor W = weight.value(), out = Tensor::empty(x.shape());
    const Tensor S = joined ? Tensor::empty(x.shape()) : x.value();
    const Tensor means = Tensor::empty({N}), rstds = Tensor::empty({N});
    parallel_for(N, row_grain(C), [&](int64_t begin, int64_t end) {
        for (int64_t n = begin; n < end; ++n) {
            real* const s = S.data() + n * C;
            if (joined) {  // s = x + factor * branch
                const real* const from = x.value().data() + n * C;
                const real* const added = branch.value().data() + n * C;
                if (p > 0) {
                    real* const factors = scratch(0, C);
                    dropout_factors(p, seed, n * C, C, factors);
#pragma omp simd
                    for (int64_t c = 0; c < C; ++c) {
                        s[c] = from[c] + factors[c] * added[c];
                    }
                } else {
#pragma omp simd
                    for (int64_t c = 0; c < C; ++c) {
                        s[c] = from[c] + added[c];
                    }
                }
            }
            const RowMoments moments =
                normalise_row(C, s, W.data(), bias.value().data(), eps, out.data() + n * C);
            means.data()[n] = moments.mean;
            rstds.data()[n] = moments.rstd;
        }
    });
    return record(
        name, out, {x, branch, weight, bias},
        [S, W, means, rstds, p, seed, N, C](const Tensor& dout, std::span<Tensor* const> din) {
            const int64_t grain = sum_grain(N, C);
            const int64_t blocks = (N + grain - 1) / grain;
            const Tensor dweights = Tensor::zeros({blocks, C}),
                         dbiases = Tensor::zeros({blocks, C});
            parallel_for(N, grain, [&](int64_t begin, int64_t end) {
                real* const dw = dweights.data() + begin / grain * C;
                real* const db = dbiases.data() + begin / grain * C;
                real* const ds = scratch(0, C);
                real* const factors = scratch(1, C);
                for (int64_t n = begin; n < end; ++n) {
                    normalise_row_backward(C, S.data() + n * C, {means.data()[n], rstds.data()[n]},
                                           W.data(), dout.data() + n * C, ds, dw, db);
                    // s = x + factor * branch: dx = ds, dbranch = factor * ds
                    if (din[0] != nullptr) {
                        axpy(C, 1, ds, din[0]->data() + n * C);
                    }
                    if (din[1] != nullptr && p == 0) {
                        axpy(C, 1, ds, din[1]->data() + n * C);
                    } else if (din[1] != nullptr) {
                        dropout_factors(p, seed, n * C, C, factors);
                        real* const dbranch = din[1]->data() + n * C;
#pragma omp simd
                        for (int64_t c = 0; c < C; ++c) {
                            dbranch[c] += factors[c] * ds[c];
                        }
                    }
                }
            });
            for (int64_t block = 0; block < blocks; ++block) {
                if (din[2] != nullptr) {
                    axpy(C, 1, dweights.data() + block * C, din[2]->data());
                }
                if (din[3] != nullptr) {
                    axpy(C, 1, dbiases.data() + block * C, din[3]->data());
                }
            }
        });
}

}  // namespace

Variable layer_norm(const Variable& x, const Variable& weight, const Variable& bias, real eps) {
    return normalise("layer_norm", x, {}, weight, bias, 0, 0, eps);
}

Variable residual_layer_norm(const Variable& x, const Variable& branch, const Variable& weight,
                             const Variable& bias, double p, uint64_t seed, real eps) {
    check(branch.defined() && branch.shape() == x.shape(),
          "residual_layer_norm: x has shape {}, the branch {}", x.shape().str(),
          branch.shape().str());
    check_dropout("residual_layer_norm", p);
    return normalise("residual_layer_norm", x, branch, weight, bias, p, seed, eps);
}

Variable rms_norm(const Variable& x, const Variable& weight, real eps) {
    check_defined("rms_norm", x);
    const int64_t N = x.value().rows(), C = x.value().cols();
    check(weight.defined() && weight.shape() == Shape{C},
          "rms_norm: x {} needs a weight of shape ({}), found {}", x.shape().str(), C,
          weight.shape().str());
    const Tensor X = x.value(), W = weight.value(), out = Tensor::empty(x.shape());
    const Tensor factors = Tensor::empty({N});  // 1 / sqrt(mean(x^2) + eps)
    parallel_for(N, row_grain(C), [&](int64_t begin, int64_t end) {
        for (int64_t n = begin; n < end; ++n) {
            factors.data()[n] =
                rms_normalise_row(C, X.data() + n * C, W.data(), eps, out.data() + n * C);
        }
    });
    return record(
        "rms_norm", out, {x, weight},
        [X, W, factors, N, C](const Tensor& dout, std::span<Tensor* const> din) {
            // With xhat = x * factor and g = dout * weight:
            //   dx = factor * (g - xhat * mean(g * xhat)); dweight = column sums of dout * xhat.
            const int64_t grain = sum_grain(N, C);
            const int64_t blocks = (N + grain - 1) / grain;
            const Tensor dweights = Tensor::zeros({blocks, C});
            parallel_for(N, grain, [&](int64_t begin, int64_t end) {
                real* const dw = dweights.data() + begin / grain * C;
                const real* const w = W.data();
                for (int64_t n = begin; n < end; ++n) {
                    const real* const from = X.data() + n * C;
                    const real* const g = dout.data() + n * C;
                    const real factor = factors.data()[n];
                    real sum_gx = 0;
#pragma omp simd reduction(+ : sum_gx)
                    for (int64_t c = 0; c < C; ++c) {
                        const real xhat = from[c] * factor;
                        dw[c] += g[c] * xhat;
                        sum_gx += g[c] * w[c] * xhat;
                    }
                    if (din[0] == nullptr) {
                        continue;
                    }
                    real* const dx = din[0]->data() + n * C;
                    const real mean_gx = sum_gx / real(C);
#pragma omp simd
                    for (int64_t c = 0; c < C; ++c) {
                        dx[c] += factor * (g[c] * w[c] - from[c] * factor * mean_gx);
                    }
                }
            });
            for (int64_t block = 0; din[1] != nullptr && block < blocks; ++block) {
                axpy(C, 1, dweights.data() + block * C, din[1]->data());
            }
        });
}

}  // namespace smoe
