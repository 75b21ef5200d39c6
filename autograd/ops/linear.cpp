// Products with matrices (matmul, linear), with per-row masks (mask_rows) and with a number for
// each row (scale_rows). Each gradient of a product is itself a product, added in place (beta = 1).
// Read next: layout.cpp; feed_forward.cpp for two of them in one op.
#include "autograd/autocast.h"
#include "autograd/ops.h"
#include "autograd/ops/inputs.h"
#include "core/blas.h"
#include "core/check.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

Variable matmul(const Variable& a, const Variable& b) {
    check(a.shape().rank() == 2 && b.shape().rank() == 2 && a.shape()[1] == b.shape()[0],
          "matmul: expected (M, K) and (K, N), found {} and {}", a.shape().str(), b.shape().str());
    const int64_t M = a.shape()[0], K = a.shape()[1], N = b.shape()[1];
    const Tensor A = a.value(), B = b.value(), out = Tensor::empty({M, N});
    const Precision precision = Autocast::precision();
    // out (M, N) = a (M, K) b (K, N)
    gemm(Trans::no, Trans::no, M, N, K, A.data(), K, B.data(), N, 0, out.data(), N, precision);
    return record("matmul", out, {a, b},
                  [A, B, M, N, K, precision](const Tensor& dout, std::span<Tensor* const> din) {
                      if (din[0] != nullptr) {  // da (M, K) += dout (M, N) b^T (N, K)
                          gemm(Trans::no, Trans::yes, M, K, N, dout.data(), N, B.data(), N, 1,
                               din[0]->data(), K, precision);
                      }
                      if (din[1] != nullptr) {  // db (K, N) += a^T (K, M) dout (M, N)
                          gemm(Trans::yes, Trans::no, K, N, M, A.data(), K, dout.data(), N, 1,
                               din[1]->data(), N, precision);
                      }
                  });
}

Variable linear(const Variable& x, const Variable& weight, const Variable& bias) {
    check(x.shape().rank() == 2 && weight.shape().rank() == 2 && x.shape()[1] == weight.shape()[1],
          "linear: expected x (N, I) and weight (O, I), found {} and {}", x.shape().str(),
          weight.shape().str());
    const int64_t N = x.shape()[0], I = x.shape()[1], O = weight.shape()[0];
    check(!bias.defined() || bias.shape() == Shape{O},
          "linear: expected a bias of shape ({}), found {}", O, bias.shape().str());
    const Tensor X = x.value(), W = weight.value(), out = Tensor::empty({N, O});
    const Precision precision = Autocast::precision();
    // out (N, O) = x (N, I) weight^T (I, O) + bias (O)
    gemm(
        Trans::no, Trans::yes, N, O, I, X.data(), I, W.data(), I, 0, out.data(), O,
        [&](const GemmBlock& block) {
            for (int64_t n = block.row; bias.defined() && n < block.row + block.rows; ++n) {
                axpy(block.cols, 1, bias.value().data() + block.col,
                     out.data() + n * O + block.col);
            }
        },
        precision);
    return record("linear", out, {x, weight, bias},
                  [X, W, N, I, O, precision](const Tensor& dout, std::span<Tensor* const> din) {
                      if (din[0] != nullptr) {  // dx (N, I) += dout (N, O) weight (O, I)
                          gemm(Trans::no, Trans::no, N, I, O, dout.data(), O, W.data(), I, 1,
                               din[0]->data(), I, precision);
                      }
                      if (din[1] != nullptr) {  // dweight (O, I) += dout^T (O, N) x (N, I)
                          gemm(Trans::yes, Trans::no, O, I, N, dout.data(), O, X.data(), I, 1,
                               din[1]->data(), I, precision);
                      }
                      if (din[2] != nullptr) {  // dbias (O) += column sums of dout
                          add_column_sums(dout.data(), N, O, din[2]->data());
                      }
                  });
}

Variable mask_rows(const Variable& x, const Tensor& masks, const std::vector<int32_t>& experts) {
    check_defined("mask_rows", x);
    const int64_t N = x.value().rows(), C = x.value().cols();
    check(masks.shape().rank() == 2 && masks.size(1) == C,
          "mask_rows: expected masks of shape (K, {}) for x {}, found {}", C, x.shape().str(),
          masks.shape().str());
    check_ids("mask_rows", "expert", experts, N, masks.size(0));
    // to[n] += or = from[n] * masks[experts[n]]; forward and backward are the same product
    const auto apply = [masks, experts, N, C](const real* from, real* to, bool accumulate) {
        parallel_for(N, row_grain(C), [&](int64_t begin, int64_t end) {
            const auto product = accumulate ? multiply<true> : multiply<false>;
            for (int64_t n = begin; n < end; ++n) {
                product(C, masks.data() + experts[size_t(n)] * C, from + n * C, to + n * C);
            }
        });
    };
    const Tensor out = Tensor::empty(x.shape());
    apply(x.value().data(), out.data(), false);
    return record("mask_rows", out, {x}, [apply](const Tensor& dout, std::span<Tensor* const> din) {
        apply(dout.data(), din[0]->data(), true);  // dx = dout * masks[experts]
    });
}

Variable scale_rows(const Variable& x, const Variable& weights) {
    check_defined("scale_rows", x);
    const int64_t N = x.value().rows(), C = x.value().cols();
    check(weights.shape() == Shape{N}, "scale_rows: x {} needs weights of shape ({}), found {}",
          x.shape().str(), N, weights.shape().str());
    const Tensor X = x.value(), W = weights.value(), out = Tensor::zeros(x.shape());
    const auto for_each_row = [N, C](const auto& body) {
        parallel_for(N, row_grain(C), [&](int64_t begin, int64_t end) {
            for (int64_t n = begin; n < end; ++n) {
                body(n);
            }
        });
    };
    // out[n] = weights[n] * x[n]
    for_each_row([&](int64_t n) { axpy(C, W.data()[n], X.data() + n * C, out.data() + n * C); });
    return record("scale_rows", out, {x, weights},
                  [X, W, C, for_each_row](const Tensor& dout, std::span<Tensor* const> din) {
                      for_each_row([&](int64_t n) {
                          const real* const g = dout.data() + n * C;
                          if (din[0] != nullptr) {  // dx[n] = weights[n] * dout[n]
                              axpy(C, W.data()[n], g, din[0]->data() + n * C);
                          }
                          if (din[1] != nullptr) {  // dweights[n] = dot product of x[n] and dout[n]
                              din[1]->data()[n] += dot(X.data() + n * C, g, C);
                          }
                      });
                  });
}

}  // namespace smoe
