// The catalogue of ops: every function that computes with Variables, one declaration each. The
// family's file in ops/ holds formula, forward and backward side by side. Names are PyTorch's where
// it has the op. Every op throws Error, naming itself and the shapes, for inputs that do not fit.
// Ids and experts are plain vectors, without gradients. N is the number of rows: all dims but the
// last of a Variable. A `dim` counts from 0, or from the end if it is negative: -1 is the last.
// To add an op: a section in the family's .cpp, a line here, a row in tests/autograd/op_table*.cpp.
// Read next: ops/elementwise.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "autograd/variable.h"
#include "core/sequences.h"

namespace smoe {

// ops/elementwise.cpp: results have the shape of the first input. b has the same shape or the end
// of it, as (C) is the end of an a of (B, T, C), and then serves every index of the dims that it
// lacks. A single number, shape (), serves every element. Nothing else is broadcast: dims of size 1
// are not stretched.
Variable add(const Variable& a, const Variable& b);  // a + b
Variable sub(const Variable& a, const Variable& b);  // a - b
Variable mul(const Variable& a, const Variable& b);  // a * b, element by element
Variable div(const Variable& a, const Variable& b);  // a / b, element by element
Variable scale(const Variable& x, real factor);      // factor * x
Variable neg(const Variable& x);                     // -x
Variable relu(const Variable& x);                    // max(x, 0)
Variable tanh(const Variable& x);                    // (e^x - e^-x) / (e^x + e^-x)

// ops/unary.cpp
Variable exp(const Variable& x);      // e^x
Variable log(const Variable& x);      // ln(x): -infinity for 0, NaN below
Variable sqrt(const Variable& x);     // NaN below 0; the gradient at 0 is infinite
Variable sigmoid(const Variable& x);  // 1 / (1 + e^-x)
Variable silu(const Variable& x);     // x sigmoid(x), also called swish (Elfwing et al., 2018)
// x P(x), where P(x) = (1 + erf(x / sqrt(2))) / 2 is the share of a normal distribution below x
// (Hendrycks and Gimpel, 2016). This is PyTorch's default; its tanh approximation is left out.
Variable gelu(const Variable& x);

// ops/dropout.cpp
// Zeroes each element with probability p and multiplies the rest by 1 / (1 - p) (Srivastava et al.,
// JMLR 2014). The factor of element i is a function of (seed, i). p in [0, 1); p = 0 returns x.
Variable dropout(const Variable& x, double p, uint64_t seed);

// ops/reduce.cpp: of all elements, to a single number of shape (); or along a dim, which the result
// does not have: (B, T, C) along dim 1 -> (B, C).
Variable sum(const Variable& x);  // 0 if there is none
Variable sum(const Variable& x, int dim);
Variable mean(const Variable& x);  // of at least one
Variable mean(const Variable& x, int dim);
// The largest along a dim, of at least one; NaN if one is NaN. The first of equals gets the
// gradient.
Variable max(const Variable& x, int dim);

// ops/layout.cpp: copies, no views.
Variable transpose(const Variable& x, int dim0, int dim1);  // swaps these two dims
// The parts one after another along a dim; their other sizes must be equal. At least one part.
Variable cat(const std::vector<Variable>& parts, int dim);
// Indices start .. start + length - 1 of a dim.
Variable narrow(const Variable& x, int dim, int64_t start, int64_t length);

// ops/linear.cpp
// a (M, K), b (K, N) -> a b (M, N)
Variable matmul(const Variable& a, const Variable& b);
// x (N, I), weight (O, I), bias (O) or undefined -> x weight^T + bias (N, O)
Variable linear(const Variable& x, const Variable& weight, const Variable& bias = {});
// x (N, C), masks (K, C), experts (N) in [0, K): row n times row experts[n] of masks. The masks are
// constants: no gradient flows into them.
Variable mask_rows(const Variable& x, const Tensor& masks, const std::vector<int32_t>& experts);
// x (N, C), weights (N): row n times weights[n]
Variable scale_rows(const Variable& x, const Variable& weights);

// ops/feed_forward.cpp, ops/sparse_feed_forward.cpp, ops/block_feed_forward.cpp
struct FeedForwardWeights {
    Variable weight_1, bias_1;  // (F, C), (F)
    Variable weight_2, bias_2;  // (C, F), (C)
};
// The factors for the hidden neurons and the outputs of each of K experts: constants, 0 for a
// neuron that the expert does not keep.
struct ExpertMasks {
    Tensor hidden, output;  // (K, F), (K, C)
};
// The rows of a batch sorted by expert: those of expert e, rising, are rows[begin[e]] to
// rows[begin[e + 1] - 1]. Throws Error for an expert outside [0, num_experts).
struct ExpertGroups {
    ExpertGroups() = default;  // of no rows
    ExpertGroups(const std::vector<int32_t>& experts, int64_t num_experts);

    std::vector<int32_t> rows;   // (N)
    std::vector<int64_t> begin;  // (K + 1)
};
// x (N, C), experts (N) in [0, K), or empty for no masks at all; with e = experts[n], row n is
//   output[e] * (weight_2 (hidden[e] * relu(weight_1 x + bias_1)) + bias_2) -> (N, C)
Variable feed_forward(const Variable& x, const FeedForwardWeights& weights,
                      const ExpertMasks& masks = {}, const std::vector<int32_t>& experts = {});
// The same up to rounding, but computes only what the masks let through.
Variable sparse_feed_forward(const Variable& x, const FeedForwardWeights& weights,
                             const ExpertMasks& masks, const ExpertGroups& groups);
// The blocks of `size` hidden neurons, beginning at multiples of it, of which the experts keep all
// or none. The size is the largest that fits all experts, up to 64; for masks without blocks, 1.
struct ExpertBlocks {
    ExpertBlocks() = default;                           // of no experts
    explicit ExpertBlocks(const Tensor& hidden_masks);  // (K, F)

    int64_t neurons = 0, size = 0;           // F, and a divisor of it
    std::vector<std::vector<int32_t>> kept;  // (K): the numbers of the blocks, rising
};
// The same up to rounding, but goes by block instead of by expert, so that the number of experts
// costs nothing. `blocks` are those of masks.hidden.
Variable block_feed_forward(const Variable& x, const FeedForwardWeights& weights,
                            const ExpertMasks& masks, const ExpertBlocks& blocks,
                            const std::vector<int32_t>& experts);

// ops/embedding.cpp
// weight (V, C), ids (N) in [0, V) -> row ids[n] of weight (N, C)
Variable embedding(const Variable& weight, const std::vector<int32_t>& ids);
// The indices of a dim that `index` names, in its order and with repeats: for dim 1 of x (A, D, B)
// and index (K) in [0, D), out[a, k, b] = x[a, index[k], b] (A, K, B). Backward adds to a place
// once for each time it was taken.
Variable index_select(const Variable& x, int dim, const std::vector<int32_t>& index);
// x (N, K), ids (N) in [0, K) -> x[n, ids[n]] (N)
Variable pick(const Variable& x, const std::vector<int32_t>& ids);

// ops/normalise.cpp: along the last dimension.
constexpr real norm_eps = real(1e-5);  // PyTorch's default
Variable softmax(const Variable& x);   // e^x / sum of e^x
// (x - mean) / sqrt(variance + eps) * weight + bias; weight, bias (C); biased variance (Ba et al.,
// 2016)
Variable layer_norm(const Variable& x, const Variable& weight, const Variable& bias,
                    real eps = norm_eps);
// x / sqrt(mean(x^2) + eps) * weight; weight (C) (Zhang and Sennrich, 2019)
Variable rms_norm(const Variable& x, const Variable& weight, real eps = norm_eps);
// layer_norm(x + dropout(branch, p, seed), weight, bias, eps), which ends each half of a
// transformer's block.
Variable residual_layer_norm(const Variable& x, const Variable& branch, const Variable& weight,
                             const Variable& bias, double p, uint64_t seed, real eps = norm_eps);

// ops/attention.cpp
// Causal self-attention of ragged sequences (Vaswani et al., 2017, section 3.2). qkv (N, 3C):
// queries, keys and values, each cut into `heads` slices of D = C / heads. A position attends to
// itself and to what lies before it in its own sequence: softmax(q k^T / sqrt(D)) v -> (N, C)
Variable attention(const Variable& qkv, const Sequences& sequences, int64_t heads);
// 1 / sqrt(D), the factor for the product of a query and a key.
real attention_scale(int64_t head_size);
// Pairs of a query and a key that `attention` multiplies for a sequence of this length: those that
// it needs, T (T + 1) / 2, and the rest of the blocks on the diagonal.
int64_t attention_pairs(int64_t length);

// ops/loss.cpp
// logits (N, V), targets (N) in [0, V) -> -log softmax(logits)[n, targets[n]] (N), in nats
Variable cross_entropy(const Variable& logits, const std::vector<int32_t>& targets);
// x (N, C), weight (V, C), targets (N) in [0, V) -> cross_entropy(linear(x, weight), targets) (N)
Variable linear_cross_entropy(const Variable& x, const Variable& weight,
                              const std::vector<int32_t>& targets);
// Whether linear_cross_entropy keeps the logits of N rows for backward; else it computes them again.
bool keeps_logits(int64_t N, int64_t V);
// mean of (x - target)^2 over all elements, of at least one: a single number, shape ().
Variable mse_loss(const Variable& x, const Variable& target);

// ops/operators.cpp: the element-wise ops in usual notation; * is not the matrix product. A plain
// number stands for a tensor full of it.
Variable operator+(const Variable& a, const Variable& b);
Variable operator-(const Variable& a, const Variable& b);
Variable operator*(const Variable& a, const Variable& b);
Variable operator/(const Variable& a, const Variable& b);
Variable operator+(const Variable& a, real b);
Variable operator-(const Variable& a, real b);
Variable operator*(const Variable& a, real b);
Variable operator/(const Variable& a, real b);
Variable operator+(real a, const Variable& b);
Variable operator-(real a, const Variable& b);
Variable operator*(real a, const Variable& b);
Variable operator/(real a, const Variable& b);
Variable operator-(const Variable& x);

}  // namespace smoe
