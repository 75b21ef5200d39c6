// One solution of the exercise autograd_cosine.cpp; write your own first.
// Read next: tests/exercises/autograd_cosine.cpp, its test.
#include <cmath>

#include "autograd/ops.h"
#include "core/check.h"
#include "core/vector_math.h"

smoe::Variable cosine_similarity(const smoe::Variable& a, const smoe::Variable& b) {
    using namespace smoe;
    check(a.shape().rank() == 2 && a.shape() == b.shape(),
          "cosine_similarity: expected two times (N, C), found {} and {}", a.shape().str(),
          b.shape().str());
    const int64_t N = a.shape()[0], C = a.shape()[1];
    const Tensor A = a.value(), B = b.value(), out = Tensor::empty({N});
    for (int64_t n = 0; n < N; ++n) {
        const real* const p = A.data() + n * C;
        const real* const q = B.data() + n * C;
        const real lengths = std::sqrt(dot(p, p, C)) * std::sqrt(dot(q, q, C));
        out.data()[n] = lengths == 0 ? 0 : dot(p, q, C) / lengths;
    }
    return record("cosine_similarity", out, {a, b},
                  [A, B, out, N, C](const Tensor& dout, std::span<Tensor* const> din) {
                      for (size_t input = 0; input < 2; ++input) {
                          for (int64_t n = 0; din[input] != nullptr && n < N; ++n) {
                              const real* const own = (input == 0 ? A : B).data() + n * C;
                              const real* const other = (input == 0 ? B : A).data() + n * C;
                              const real square = dot(own, own, C);
                              const real lengths =
                                  std::sqrt(square) * std::sqrt(dot(other, other, C));
                              if (lengths == 0) {
                                  continue;
                              }
                              // da = dout * (b / (|a| |b|) - y a / |a|^2)
                              axpy(C, dout.data()[n] / lengths, other, din[input]->data() + n * C);
                              axpy(C, -dout.data()[n] * out.data()[n] / square, own,
                                   din[input]->data() + n * C);
                          }
                      }
                  });
}
