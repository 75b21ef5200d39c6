// The feed-forward network of many experts whose masks keep whole blocks of neurons, at the cost of
// what they keep and however many experts there are. Work goes block by block, each with all the
// rows whose experts keep it (after MegaBlocks, arXiv 2211.15841), so that experts with few rows
// share a block's weights. Towards outputs and inputs a task owns a range of rows and adds up its
// blocks; for the weights' gradients it owns a block. So no two threads add to one number, and the
// bits are the same for any number of threads.
// Read next: core/row_products.h, the products.
#include <algorithm>
#include <memory>
#include <numeric>

#include "autograd/autocast.h"
#include "autograd/ops/feed_forward.h"
#include "autograd/ops/inputs.h"
#include "core/check.h"
#include "core/row_products.h"
#include "core/scratch.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

constexpr int64_t row_range = 256;     // rows of a task
constexpr int64_t largest_block = 64;  // neurons of a block whose weights stay in cache

// How a batch is cut into work; forward and backward follow the same plan.
class Plan {
  public:
    const int64_t C, b;  // width of the network, neurons of a block

    Plan(const ExpertMasks& masks, const ExpertBlocks& blocks, const std::vector<int32_t>& experts)
        : C(masks.output.size(1)),
          b(blocks.size),
          masks_(masks),
          experts_(experts),
          num_blocks_(b == 0 ? 0 : masks.hidden.size(1) / b),
          ranges_((int64_t(experts.size()) + row_range - 1) / row_range) {
        std::vector<int64_t> next(size_t(num_blocks_) + 1, 0);
        for (const int32_t expert : experts) {
            for (const int32_t block : blocks.kept[size_t(expert)]) {
                ++next[size_t(block) + 1];
            }
        }
        std::partial_sum(next.begin(), next.end(), next.begin());
        rows_.resize(size_t(next.back()));
        for (size_t n = 0; n < experts.size(); ++n) {
            if (int64_t(n) % row_range == 0) {
                begin_.insert(begin_.end(), next.begin(), next.end() - 1);
            }
            for (const int32_t block : blocks.kept[size_t(experts[n])]) {
                rows_[size_t(next[size_t(block)]++)] = int32_t(n);
            }
        }
        begin_.insert(begin_.end(), next.begin(), next.end() - 1);
    }

    int64_t num_blocks() const { return num_blocks_; }
    int64_t ranges() const { return ranges_; }
    int64_t hidden_numel() const { return int64_t(rows_.size()) * b; }

    // The rows that use a block, of one range or of all. The hidden neurons of all blocks stand one
    // block after another; the block's own (rows, b) begin at `begin` * b.
    struct Part {
        int64_t block, begin;
        RowIds rows;  // of the batch, rising
    };
    Part part(int64_t block, int64_t first_range, int64_t end_range) const {
        const int64_t begin = begin_[size_t(first_range * num_blocks_ + block)];
        const int64_t end = begin_[size_t(end_range * num_blocks_ + block)];
        return {block, begin, RowIds(rows_).subspan(size_t(begin), size_t(end - begin))};
    }

    // Calls body(part) for the blocks that the rows of a range use, in their order.
    template <class Body>
    void for_each_part(int64_t range, const Body& body) const {
        for (int64_t block = 0; block < num_blocks_; ++block) {
            if (const Part p = part(block, range, range + 1); !p.rows.empty()) {
                body(p);
            }
        }
    }
    // Calls body(part) for each block with all its rows, on all threads.
    template <class Body>
    void for_each_block(const Body& body) const {
        parallel_chunks(num_blocks_, [&](int64_t block) { body(part(block, 0, ranges_)); });
    }

    // The masks of a row's expert: for the neurons of a block, and for the outputs.
    const real* hidden_mask(int32_t row, int64_t block) const {
        return masks_.hidden.data() + experts_[size_t(row)] * masks_.hidden.size(1) + block * b;
    }
    const real* output_mask(int64_t row) const {
        return masks_.output.data() + experts_[size_t(row)] * C;
    }

  private:
    const ExpertMasks masks_;
    const std::vector<int32_t> experts_;
    const int64_t num_blocks_, ranges_;
    std::vector<int32_t> rows_;   // those of the first block, then those of the second ...
    std::vector<int64_t> begin_;  // (ranges + 1, blocks): where a range's rows begin in rows_
};

enum class Towards { neurons, width };

struct Weights {
    Precision precision;
    Tensor weight_1, bias_1, weight_2;

    // The blocks of weight_1 (F, C) and of weight_2 (C, F), for products from the network's width
    // towards a block's neurons, or from these towards the width.
    SmallMatrices blocks_1(const Plan& plan, Towards towards) const {
        return blocks(plan, weight_1, towards, plan.C, 1);
    }
    SmallMatrices blocks_2(const Plan& plan, Towards towards) const {
        return blocks(plan, weight_2, towards, 1, plan.num_blocks() * plan.b);
    }

  private:
    // The number of neuron f and input or output c is at f * neuron_stride + c * width_stride.
    SmallMatrices blocks(const Plan& plan, const Tensor& weight, Towards towards,
                         int64_t neuron_stride, int64_t width_stride) const {
        const bool to_neurons = towards == Towards::neurons;
        const SmallMatrices result(precision, plan.num_blocks(), to_neurons ? plan.C : plan.b,
                                   to_neurons ? plan.b : plan.C);
        parallel_chunks(plan.num_blocks(), [&](int64_t block) {
            const real* const from = weight.data() + block * plan.b * neuron_stride;
            result.set(block, to_neurons ? Operand{from, neuron_stride, width_stride}
                                         : Operand{from, width_stride, neuron_stride});
        });
        return result;
    }
};

// xs (N, C) -> hidden (rows of the blocks, b), out (N, C)
void forward(const Plan& plan, const Weights& w, const Tensor& bias_2, const PickedRows& xs,
             const Tensor& hidden, const Tensor& out) {
    const int64_t C = plan.C, b = plan.b;
    const SmallMatrices w1 = w.blocks_1(plan, Towards::neurons),
                        w2 = w.blocks_2(plan, Towards::width);
    parallel_chunks(plan.ranges(), [&](int64_t range) {
        const int64_t begin = range * row_range, end = std::min(begin + row_range, out.size(0));
        xs.prepare(begin, end);
        for (int64_t n = begin; n < end; ++n) {
            std::copy_n(bias_2.data(), C, out.data() + n * C);
        }
        plan.for_each_part(range, [&](const Plan::Part& part) {
            real* const h = hidden.data() + part.begin * b;
            // h (rows, b) = mask * relu(x (rows, C) w1^T (C, b) + b1 (b))
            multiply_rows(xs, part.rows, w1, part.block, h);
            for (size_t r = 0; r < part.rows.size(); ++r) {
                real* const neurons = h + int64_t(r) * b;
                bias_relu(b, w.bias_1.data() + part.block * b, neurons);
                multiply<false>(b, plan.hidden_mask(part.rows[r], part.block), neurons, neurons);
            }
            // out (rows, C) += h (rows, b) w2^T (b, C)
            add_products(h, w2, part.block, part.rows, out.data());
        });
        for (int64_t n = begin; n < end; ++n) {  // out = mask * (y + b2)
            multiply<false>(C, plan.output_mask(n), out.data() + n * C, out.data() + n * C);
        }
    });
}

// dout (N, C) -> dzs (N, C) = mask * dout, da = the gradient before the relu (rows of the blocks,
// b); adds to dx (N, C) unless that is null.
void backward_to_inputs(const Plan& plan, const Weights& w, const Tensor& hidden,
                        const Tensor& dout, const PickedRows& dzs, const Tensor& da, Tensor* dx) {
    const Tensor& dz = dzs.matrix;
    const int64_t C = plan.C, b = plan.b;
    const SmallMatrices w1 = w.blocks_1(plan, Towards::width),
                        w2 = w.blocks_2(plan, Towards::neurons);
    parallel_chunks(plan.ranges(), [&](int64_t range) {
        const int64_t begin = range * row_range, end = std::min(begin + row_range, dz.size(0));
        for (int64_t n = begin; n < end; ++n) {
            multiply<false>(C, plan.output_mask(n), dout.data() + n * C, dz.data() + n * C);
        }
        dzs.prepare(begin, end);
        plan.for_each_part(range, [&](const Plan::Part& part) {
            real* const d = da.data() + part.begin * b;
            // dh (rows, b) = dz (rows, C) w2 (C, b)
            multiply_rows(dzs, part.rows, w2, part.block, d);
            // h = mask * relu(a): da = mask * dh where h is not 0
            relu_backward(int64_t(part.rows.size()) * b, hidden.data() + part.begin * b, d);
            for (size_t r = 0; r < part.rows.size(); ++r) {
                real* const neurons = d + int64_t(r) * b;
                multiply<false>(b, plan.hidden_mask(part.rows[r], part.block), neurons, neurons);
            }
            if (dx != nullptr) {  // dx (rows, C) += da (rows, b) w1 (b, C)
                add_products(d, w1, part.block, part.rows, dx->data());
            }
        });
    });
}

// Adds to the gradients of weight_1, bias_1 and weight_2; those that are null are not wanted.
void backward_to_weights(const Plan& plan, const PickedRows& xs, const Tensor& hidden,
                         const PickedRows& dzs, const Tensor& da, Tensor* dw1, Tensor* db1,
                         Tensor* dw2) {
    const int64_t C = plan.C, b = plan.b, F = plan.num_blocks() * b;
    plan.for_each_block([&](const Plan::Part& part) {
        const real* const h = hidden.data() + part.begin * b;
        const real* const d = da.data() + part.begin * b;
        if (dw1 != nullptr) {  // dw1 (b, C) += da^T (b, rows) x (rows, C)
            add_outer_products(d, b, xs, part.rows, dw1->data() + part.block * b * C);
        }
        for (size_t r = 0; db1 != nullptr && r < part.rows.size(); ++r) {
            axpy(b, 1, d + int64_t(r) * b, db1->data() + part.block * b);
        }
        if (dw2 != nullptr) {  // dw2^T (b, C) += h^T (b, rows) dz (rows, C)
            real* const turned = scratch(3, b * C);
            std::fill_n(turned, b * C, real(0));
            add_outer_products(h, b, dzs, part.rows, turned);
            for (int64_t c = 0; c < C; ++c) {
                real* const to = dw2->data() + c * F + part.block * b;
                for (int64_t i = 0; i < b; ++i) {
                    to[i] += turned[i * C + c];
                }
            }
        }
    });
}

void check_blocks(const ExpertMasks& masks, const ExpertBlocks& blocks) {
    const int64_t K = masks.hidden.size(0), F = masks.hidden.size(1);
    check(int64_t(blocks.kept.size()) == K && blocks.neurons == F,
          "block_feed_forward: masks of {} experts and {} hidden neurons, but blocks of {} and {}",
          K, F, blocks.kept.size(), blocks.neurons);
}

}  // namespace

ExpertBlocks::ExpertBlocks(const Tensor& hidden_masks) {
    check(hidden_masks.shape().rank() == 2, "blocks: expected masks (K, F), found {}",
          hidden_masks.shape().str());
    neurons = hidden_masks.size(1);
    // A border between a kept neuron and another lies at a multiple of the size.
    int64_t common = neurons;
    for (int64_t e = 0; e < hidden_masks.size(0); ++e) {
        const real* const row = hidden_masks.data() + e * neurons;
        for (int64_t i = 1; i < neurons; ++i) {
            if ((row[i] != 0) != (row[i - 1] != 0)) {
                common = std::gcd(common, i);
            }
        }
    }
    size = std::clamp<int64_t>(common, 1, largest_block);
    while (common % size != 0) {
        --size;
    }
    for (int64_t e = 0; e < hidden_masks.size(0); ++e) {
        kept.emplace_back();
        for (int64_t block = 0; block < neurons / size; ++block) {
            if (hidden_masks.data()[e * neurons + block * size] != 0) {
                kept.back().push_back(int32_t(block));
            }
        }
    }
}

Variable block_feed_forward(const Variable& x, const FeedForwardWeights& weights,
                            const ExpertMasks& masks, const ExpertBlocks& blocks,
                            const std::vector<int32_t>& experts) {
    check_feed_forward("block_feed_forward", x, weights);
    const int64_t N = x.shape()[0], C = x.shape()[1], F = weights.weight_1.shape()[0];
    check_masks("block_feed_forward", masks, F, C);
    check_ids("block_feed_forward", "expert", experts, N, masks.hidden.size(0));
    check_blocks(masks, blocks);
    const auto plan = std::make_shared<const Plan>(masks, blocks, experts);
    const Weights w{Autocast::precision(), weights.weight_1.value(), weights.bias_1.value(),
                    weights.weight_2.value()};
    const PickedRows xs(w.precision, x.value());
    const Tensor hidden = Tensor::empty({plan->hidden_numel()}), out = Tensor::empty({N, C});
    forward(*plan, w, weights.bias_2.value(), xs, hidden, out);
    return record("block_feed_forward", out,
                  {x, weights.weight_1, weights.bias_1, weights.weight_2, weights.bias_2},
                  [plan, w, xs, hidden](const Tensor& dout, std::span<Tensor* const> din) {
                      const Tensor dz = Tensor::empty(dout.shape());
                      const Tensor da = Tensor::empty(hidden.shape());
                      const PickedRows dzs(w.precision, dz);
                      backward_to_inputs(*plan, w, hidden, dout, dzs, da, din[0]);
                      backward_to_weights(*plan, xs, hidden, dzs, da, din[1], din[2], din[3]);
                      if (din[4] != nullptr) {  // dbias_2 (C) += column sums of dz
                          add_column_sums(dz.data(), dz.size(0), plan->C, din[4]->data());
                      }
                  });
}

}  // namespace smoe
