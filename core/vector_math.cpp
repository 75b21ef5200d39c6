// Column sums: partial sums of fixed blocks of rows, added in block order. The other loops of
// vector_math.h are inline.
// Read next: autograd/ops/linear.cpp, where they are the gradient of a bias.
#include "core/vector_math.h"

#include "core/tensor.h"
#include "core/threads.h"

namespace smoe {

void add_column_sums(const real* x, int64_t rows, int64_t cols, real* out) {
    const int64_t grain = sum_grain(rows, cols);
    const int64_t blocks = (rows + grain - 1) / grain;
    const Tensor partial = Tensor::zeros({blocks, cols});
    parallel_for(rows, grain, [&](int64_t begin, int64_t end) {
        real* sums = partial.data() + begin / grain * cols;
        for (int64_t row = begin; row < end; ++row) {
            axpy(cols, 1, x + row * cols, sums);
        }
    });
    for (int64_t block = 0; block < blocks; ++block) {
        axpy(cols, 1, partial.data() + block * cols, out);
    }
}

}  // namespace smoe
