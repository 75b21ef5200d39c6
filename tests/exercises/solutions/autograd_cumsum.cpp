// One solution of the exercise autograd_cumsum.cpp; write your own first.
// Read next: tests/exercises/autograd_cumsum.cpp, its test.
#include "autograd/ops.h"

smoe::Variable cumsum(const smoe::Variable& x) {
    using namespace smoe;
    const int64_t N = x.value().rows(), C = x.value().cols();
    const Tensor out = Tensor::empty(x.shape());
    for (int64_t n = 0; n < N; ++n) {
        real total = 0;
        for (int64_t c = 0; c < C; ++c) {
            out.data()[n * C + c] = total += x.value().data()[n * C + c];
        }
    }
    return record("cumsum", out, {x}, [N, C](const Tensor& dout, std::span<Tensor* const> din) {
        for (int64_t n = 0; n < N; ++n) {  // dx[c] += dout[c] + dout[c + 1] + ...
            real total = 0;
            for (int64_t c = C; c-- > 0;) {
                din[0]->data()[n * C + c] += total += dout.data()[n * C + c];
            }
        }
    });
}
