// The feed-forward network with an expert's masks in one op: two products, with everything between
// and after them done on each block of a result while it is in cache. Every neuron is computed, and
// the masks zero those that the expert does not keep; sparse_feed_forward.cpp and
// block_feed_forward.cpp compute the same without those neurons.
// Read next: sparse_feed_forward.cpp.
#include "autograd/ops/feed_forward.h"
#include "autograd/autocast.h"
#include "autograd/ops.h"
#include "autograd/ops/inputs.h"
#include "core/blas.h"
#include "core/check.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

int64_t checked_experts(int64_t num_experts) {
    check(num_experts > 0, "experts: their number must be positive, found {}", num_experts);
    return num_experts;
}

}  // namespace

ExpertGroups::ExpertGroups(const std::vector<int32_t>& experts, int64_t num_experts)
    : rows(experts.size()), begin(size_t(checked_experts(num_experts)) + 1, 0) {
    check_ids("experts", "expert", experts, int64_t(experts.size()), num_experts);
    for (const int32_t expert : experts) {
        ++begin[size_t(expert) + 1];
    }
    for (size_t e = 0; e < size_t(num_experts); ++e) {
        begin[e + 1] += begin[e];
    }
    // A counting sort: rows of one expert keep their order, and so do sums over them.
    std::vector<int64_t> next(begin.begin(), begin.end() - 1);
    for (size_t n = 0; n < experts.size(); ++n) {
        rows[size_t(next[size_t(experts[n])]++)] = int32_t(n);
    }
}

void check_feed_forward(const char* op, const Variable& x, const FeedForwardWeights& w) {
    check(x.shape().rank() == 2 && w.weight_1.shape().rank() == 2 &&
              w.weight_1.shape()[1] == x.shape()[1],
          "{}: expected x (N, C) and weight_1 (F, C), found {} and {}", op, x.shape().str(),
          w.weight_1.shape().str());
    const int64_t C = x.shape()[1], F = w.weight_1.shape()[0];
    check(w.bias_1.shape() == Shape{F} && w.weight_2.shape() == Shape{C, F} &&
              w.bias_2.shape() == Shape{C},
          "{}: expected bias_1 ({}), weight_2 ({}, {}) and bias_2 ({}), found {}, {} and {}", op, F,
          C, F, C, w.bias_1.shape().str(), w.weight_2.shape().str(), w.bias_2.shape().str());
}

void check_masks(const char* op, const ExpertMasks& masks, int64_t hidden, int64_t width) {
    check(masks.hidden.shape().rank() == 2 && masks.hidden.size(1) == hidden &&
              masks.output.shape() == Shape{masks.hidden.size(0), width},
          "{}: expected masks (K, {}) and (K, {}), found {} and {}", op, hidden, width,
          masks.hidden.shape().str(), masks.output.shape().str());
}

Variable feed_forward(const Variable& x, const FeedForwardWeights& w, const ExpertMasks& masks,
                      const std::vector<int32_t>& experts) {
    check_feed_forward("feed_forward", x, w);
    const int64_t N = x.shape()[0], C = x.shape()[1], F = w.weight_1.shape()[0];
    const bool masked = !experts.empty();
    if (masked) {
        check_masks("feed_forward", masks, F, C);
        check_ids("feed_forward", "expert", experts, N, masks.hidden.size(0));
    }
    const Tensor X = x.value(), W1 = w.weight_1.value(), W2 = w.weight_2.value();
    const Tensor hidden = Tensor::empty({N, F}), out = Tensor::empty({N, C});
    const Precision precision = Autocast::precision();
    const auto mask_row = [](const Tensor& table, const std::vector<int32_t>& own, int64_t row) {
        return table.data() + own[size_t(row)] * table.size(1);
    };

    // hidden (N, F) = mask * relu(x (N, C) weight_1^T (C, F) + bias_1 (F))
    const real* const b1 = w.bias_1.value().data();
    gemm(
        Trans::no, Trans::yes, N, F, C, X.data(), C, W1.data(), C, 0, hidden.data(), F,
        [&](const GemmBlock& block) {
            for (int64_t row = block.row; row < block.row + block.rows; ++row) {
                real* const h = hidden.data() + row * F + block.col;
                bias_relu(block.cols, b1 + block.col, h);
                if (masked) {
                    multiply<false>(block.cols, mask_row(masks.hidden, experts, row) + block.col, h,
                                    h);
                }
            }
        },
        precision);
    // out (N, C) = mask * (hidden (N, F) weight_2^T (F, C) + bias_2 (C))
    const real* const b2 = w.bias_2.value().data();
    gemm(
        Trans::no, Trans::yes, N, C, F, hidden.data(), F, W2.data(), F, 0, out.data(), C,
        [&](const GemmBlock& block) {
            for (int64_t row = block.row; row < block.row + block.rows; ++row) {
                real* const y = out.data() + row * C + block.col;
                axpy(block.cols, 1, b2 + block.col, y);
                if (masked) {
                    multiply<false>(block.cols, mask_row(masks.output, experts, row) + block.col, y,
                                    y);
                }
            }
        },
        precision);

    return record(
        "feed_forward", out, {x, w.weight_1, w.bias_1, w.weight_2, w.bias_2},
        [X, W1, W2, hidden, masks, experts, masked, mask_row, precision, N, C, F](
            const Tensor& dout, std::span<Tensor* const> din) {
            // out = mask * z: dz = mask * dout
            const Tensor dz = masked ? Tensor::empty({N, C}) : dout;
            if (masked) {
                parallel_for(N, row_grain(C), [&](int64_t begin, int64_t end) {
                    for (int64_t n = begin; n < end; ++n) {
                        multiply<false>(C, mask_row(masks.output, experts, n), dout.data() + n * C,
                                        dz.data() + n * C);
                    }
                });
            }
            if (din[3] != nullptr) {  // dweight_2 (C, F) += dz^T (C, N) hidden (N, F)
                gemm(Trans::yes, Trans::no, C, F, N, dz.data(), C, hidden.data(), F, 1,
                     din[3]->data(), F, precision);
            }
            if (din[4] != nullptr) {  // dbias_2 (C) += column sums of dz
                add_column_sums(dz.data(), N, C, din[4]->data());
            }
            if (din[0] == nullptr && din[1] == nullptr && din[2] == nullptr) {
                return;
            }
            // hidden = mask * relu(a): da (N, F) = mask * (dz (N, C) weight_2 (C, F))
            // where hidden is not 0, and 0 elsewhere
            const Tensor da = Tensor::empty({N, F});
            gemm(
                Trans::no, Trans::no, N, F, C, dz.data(), C, W2.data(), F, 0, da.data(), F,
                [&](const GemmBlock& block) {
                    for (int64_t row = block.row; row < block.row + block.rows; ++row) {
                        const int64_t at = row * F + block.col;
                        relu_backward(block.cols, hidden.data() + at, da.data() + at);
                        if (masked) {
                            multiply<false>(block.cols,
                                            mask_row(masks.hidden, experts, row) + block.col,
                                            da.data() + at, da.data() + at);
                        }
                    }
                },
                precision);
            if (din[0] != nullptr) {  // dx (N, C) += da (N, F) weight_1 (F, C)
                gemm(Trans::no, Trans::no, N, C, F, da.data(), F, W1.data(), C, 1, din[0]->data(),
                     C, precision);
            }
            if (din[1] != nullptr) {  // dweight_1 (F, C) += da^T (F, N) x (N, C)
                gemm(Trans::yes, Trans::no, F, C, N, da.data(), F, X.data(), C, 1, din[1]->data(),
                     C, precision);
            }
            if (din[2] != nullptr) {  // dbias_1 (F) += column sums of da
                add_column_sums(da.data(), N, F, din[2]->data());
            }
        });
}

}  // namespace smoe
