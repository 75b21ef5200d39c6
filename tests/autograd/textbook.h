// Each op once more, as a textbook would write it: plain loops in double, no threads, no blocks, no
// tricks. The fast versions must agree with these. Gradients are compared with differences instead.
// Read next: op_table.cpp, which pairs each op with its loop.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/tensor.h"

namespace smoe::textbook {

// y[i] = f(x[i]), y[i] = f(a[i], b[i]); b may lack dims at the front; it then serves all their
// indices
Tensor map(const Tensor& x, const std::function<double(double)>& f);
Tensor map(const Tensor& a, const Tensor& b, const std::function<double(double, double)>& f);

// The contract of dropout: element i is kept, and divided by 1 - p, if the 16 bits that block i / 8
// of the stream (seed, 0) has for it are at least p 2^16.
Tensor dropout(const Tensor& x, double p, uint64_t seed);

// Calls body(number, list) for each list of elements of x whose indices differ only along a dim.
// The lists come in the order of the rest of the index.
void for_each_list(const Tensor& x, int dim,
                   const std::function<void(int64_t, const std::vector<real*>&)>& body);
// f of all elements; f of those along a dim
Tensor reduce(const Tensor& x, const std::function<double(const std::vector<double>&)>& f);
Tensor reduce(const Tensor& x, int dim, const std::function<double(const std::vector<double>&)>& f);
Tensor mse_loss(const Tensor& x, const Tensor& target);
Tensor transpose(const Tensor& x, int dim0, int dim1);
Tensor cat(const std::vector<Tensor>& parts, int dim);
Tensor narrow(const Tensor& x, int dim, int64_t start, int64_t length);
Tensor index_select(const Tensor& x, int dim, const std::vector<int32_t>& index);
Tensor matmul(const Tensor& a, const Tensor& b);  // (M, K) (K, N) -> (M, N)
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);  // bias may be undefined
// inputs x, weight_1, bias_1, weight_2, bias_2; experts may be empty: no masks
Tensor feed_forward(const std::vector<Tensor>& inputs, const Tensor& hidden_masks,
                    const Tensor& output_masks, const std::vector<int32_t>& experts);
Tensor mask_rows(const Tensor& x, const Tensor& masks, const std::vector<int32_t>& experts);
Tensor scale_rows(const Tensor& x, const Tensor& weights);
Tensor embedding(const Tensor& weight, const std::vector<int32_t>& ids);
Tensor pick(const Tensor& x, const std::vector<int32_t>& ids);
Tensor softmax(const Tensor& x);
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps);
Tensor attention(const Tensor& qkv, const std::vector<int64_t>& offsets, int64_t heads);
Tensor cross_entropy(const Tensor& logits, const std::vector<int32_t>& targets);

}  // namespace smoe::textbook
