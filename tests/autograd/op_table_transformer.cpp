// The rows of the ops that a transformer with experts is built from: masks, the forms of the
// feed-forward network, attention, and the losses. Sequences are one below, at and above the blocks
// of 64 queries and 256 keys that attention works in.
// Read next: op_test.cpp.
#include <cmath>
#include <functional>

#include "autograd/ops.h"
#include "core/rng.h"
#include "tests/autograd/op_rows.h"
#include "tests/autograd/textbook.h"

namespace smoe {
namespace {

OpRow gate_rows_row() {
    const auto make = [](const Shape& shape, int64_t K) {
        const Tensor x = filled(shape), masks = filled({K, x.cols()}, 1);
        const std::vector<int32_t> experts = random_ids(x.rows(), K);
        return OpCase{
            {x},
            [=](const Variables& in) { return mask_rows(in[0], masks, experts); },
            [=](const Tensors& in) { return textbook::mask_rows(in[0], masks, experts); }};
    };
    OpRow row{"mask_rows", {}, make(many_rows, 5), {}};
    for (const Shape& shape : matrices) {
        row.cases.push_back(make(shape, 3));
    }
    row.cases.push_back(make({9, 4}, 1));
    const auto call = [](const Shape& x, const Shape& masks, const std::vector<int32_t>& experts) {
        return [=] { return mask_rows(wrong(x), Tensor::zeros(masks), experts); };
    };
    row.bad_calls = {call({2, 3}, {4, 2}, {0, 0}), call({2, 3}, {3}, {0, 0}),
                     call({2, 3}, {4, 3}, {0}),    call({2, 3}, {4, 3}, {0, 0, 0}),
                     call({2, 3}, {4, 3}, {0, 4}), call({2, 3}, {4, 3}, {-1, 0})};
    return row;
}

OpRow scale_rows_row() {
    const auto make = [](const Shape& shape) {
        const Tensor x = filled(shape);
        return OpCase{{x, filled({x.rows()}, 1)},
                      [](const Variables& in) { return scale_rows(in[0], in[1]); },
                      [](const Tensors& in) { return textbook::scale_rows(in[0], in[1]); }};
    };
    OpRow row{"scale_rows", {}, make(many_rows), {}};
    for (const Shape& shape : matrices) {
        row.cases.push_back(make(shape));
    }
    const auto call = [](const Shape& x, const Shape& weights) {
        return [=] { return scale_rows(wrong(x), wrong(weights)); };
    };
    row.bad_calls = {call({2, 3}, {3}), call({2, 3}, {2, 1}), call({2, 3}, {}),
                     [] {
                         return scale_rows(wrong({1, 3}), {});
                     },
                     [] { return scale_rows({}, wrong({1})); }};
    return row;
}

// Inputs of a feed-forward network whose hidden neurons stay away from the kink of the relu: every
// other one is on, the rest is off.
Tensors feed_forward_inputs(int64_t N, int64_t C, int64_t F) {
    Tensors inputs = {filled({N, C}), filled({F, C}, 1), filled({F}, 2), filled({C, F}, 3),
                      filled({C}, 4)};
    for (real& value : inputs[1].values()) {
        value *= real(0.5 / std::sqrt(double(C)));
    }
    for (int64_t i = 0; i < F; ++i) {
        real& bias = inputs[2].data()[i];
        bias = (i % 2 == 0 ? 1 : -1) * (std::abs(bias) + 4);
    }
    return inputs;
}

// Gates of both signs with zeros among them: about a share `rate` of each row, in blocks of `block`
// neurons. The first expert keeps one block at least.
Tensor random_masks(int64_t K, int64_t width, int64_t block, double rate, uint64_t salt) {
    const Tensor masks = filled({K, width}, salt);
    Rng rng(salt, uint64_t(width));
    bool kept = true;
    for (int64_t i = 0; i < masks.numel(); ++i) {
        real& mask = masks.data()[i];
        if (i > 0 && i % width % block == 0) {
            kept = rng.uniform() >= rate;
        }
        mask = kept ? mask + std::copysign(real(0.5), mask) : 0;
    }
    return masks;
}

FeedForwardWeights weights_of(const Variables& in) {
    return {in[1], in[2], in[3], in[4]};
}

struct FeedForwardCase {
    int64_t N, C, F, K;
    double hidden_rate, output_rate;
    std::vector<int32_t> experts;
    int64_t block = 1;  // of hidden neurons that an expert keeps or not
};

// A form of the network: (x, weights, masks, experts, K) -> y.
using FeedForwardOp = std::function<Variable(const Variable& x, const FeedForwardWeights& weights,
                                             const ExpertMasks& masks,
                                             const std::vector<int32_t>& experts, int64_t K)>;

OpCase feed_forward_case(const FeedForwardOp& op, const FeedForwardCase& c) {
    const ExpertMasks masks{random_masks(c.K, c.F, c.block, c.hidden_rate, 7),
                            random_masks(c.K, c.C, 1, c.output_rate, 8)};
    return {feed_forward_inputs(c.N, c.C, c.F),
            [=](const Variables& in) { return op(in[0], weights_of(in), masks, c.experts, c.K); },
            [=](const Tensors& in) {
                return textbook::feed_forward(in, masks.hidden, masks.output, c.experts);
            }};
}

// All forms on the same cases: experts with all rows, one row and none, masks that keep all, few,
// one and no neuron, masks of blocks with long runs.
OpRow feed_forward_row(const std::string& name, const FeedForwardOp& op,
                       const FeedForwardCase& large) {
    OpRow row{name, {}, feed_forward_case(op, large), {}};
    for (const FeedForwardCase& c :
         {FeedForwardCase{1, 1, 1, 1, 0, 0, {0}}, FeedForwardCase{4, 3, 5, 2, 0.5, 0, {1, 0, 1, 1}},
          FeedForwardCase{5, 6, 4, 3, 0, 0.5, {2, 0, 2, 2, 2}},
          FeedForwardCase{3, 4, 9, 4, 1, 1, {3, 0, 3}},
          FeedForwardCase{6, 17, 3, 2, 0.4, 0.4, {0, 0, 0, 0, 0, 0}},
          FeedForwardCase{9, 13, 30, 3, 0.4, 0, {0, 1, 0, 1, 1, 2, 1, 1, 1}, 10},
          FeedForwardCase{7, 2, 400, 3, 0.5, 0, {0, 1, 0, 1, 1, 0, 2}, 50},
          FeedForwardCase{5, 3, 330, 2, 0.3, 0.4, {0, 1, 0, 1, 1}, 66}}) {
        row.cases.push_back(feed_forward_case(op, c));
    }
    struct Shapes {
        Shape x{2, 3}, weight_1{5, 3}, bias_1{5}, weight_2{3, 5}, bias_2{3};
        Shape hidden_masks{4, 5}, output_masks{4, 3};
        std::vector<int32_t> experts{0, 3};
    };
    const auto call = [op](const Shapes& s) {
        const FeedForwardWeights weights{wrong(s.weight_1), wrong(s.bias_1), wrong(s.weight_2),
                                         wrong(s.bias_2)};
        const ExpertMasks masks{Tensor::zeros(s.hidden_masks), Tensor::zeros(s.output_masks)};
        return std::function<Variable()>(
            [=] { return op(wrong(s.x), weights, masks, s.experts, 4); });
    };
    row.bad_calls = {call({.x = {2, 4}}),
                     call({.x = {6}}),
                     call({.weight_1 = {5, 4}}),
                     call({.bias_1 = {4}}),
                     call({.weight_2 = {5, 3}}),
                     call({.bias_2 = {1, 3}}),
                     call({.hidden_masks = {4, 6}}),
                     call({.output_masks = {4, 5}}),
                     call({.output_masks = {3, 3}}),
                     call({.experts = {0}})};
    if (name != "sparse_feed_forward") {  // ExpertGroups has refused these before
        row.bad_calls.push_back(call({.experts = {0, 4}}));
        row.bad_calls.push_back(call({.experts = {-1, 0}}));
    }
    return row;
}

OpRow fused_feed_forward_row() {
    OpRow row = feed_forward_row("feed_forward",
                                 [](const Variable& x, const FeedForwardWeights& weights,
                                    const ExpertMasks& masks, const std::vector<int32_t>& experts,
                                    int64_t) { return feed_forward(x, weights, masks, experts); },
                                 {600, 40, 300, 3, 0.3, 0.2, random_ids(600, 3)});
    row.cases.push_back({feed_forward_inputs(3, 4, 7),
                         [](const Variables& in) { return feed_forward(in[0], weights_of(in)); },
                         [](const Tensors& in) { return textbook::feed_forward(in, {}, {}, {}); }});
    return row;
}

OpRow sparse_feed_forward_row() {
    return feed_forward_row(
        "sparse_feed_forward",
        [](const Variable& x, const FeedForwardWeights& weights, const ExpertMasks& masks,
           const std::vector<int32_t>& experts,
           int64_t K) { return sparse_feed_forward(x, weights, masks, ExpertGroups(experts, K)); },
        {600, 40, 300, 3, 0.3, 0.2, random_ids(600, 3)});
}

OpRow block_feed_forward_row() {
    const auto op = [](const Variable& x, const FeedForwardWeights& weights,
                       const ExpertMasks& masks, const std::vector<int32_t>& experts, int64_t) {
        return block_feed_forward(x, weights, masks, ExpertBlocks(masks.hidden), experts);
    };
    OpRow row = feed_forward_row("block_feed_forward", op,
                                 {600, 40, 320, 9, 0.3, 0.2, random_ids(600, 9), 32});
    for (const Shape& others : {Shape{2, 5}, Shape{3, 6}}) {  // masks of which the blocks are not
        row.bad_calls.push_back([=] {
            return block_feed_forward(wrong({1, 2}),
                                      {wrong({5, 2}), wrong({5}), wrong({2, 5}), wrong({2})},
                                      {Tensor::zeros({3, 5}), Tensor::zeros({3, 2})},
                                      ExpertBlocks(Tensor::zeros(others)), {0});
        });
    }
    return row;
}

Sequences ragged(const std::vector<int64_t>& offsets) {
    return {std::vector<int32_t>(size_t(offsets.back())), offsets};
}

OpRow attention_row() {
    const auto make = [](int64_t C, int64_t heads, const std::vector<int64_t>& offsets) {
        return OpCase{
            {filled({offsets.back(), 3 * C})},
            [=](const Variables& in) { return attention(in[0], ragged(offsets), heads); },
            [=](const Tensors& in) { return textbook::attention(in[0], offsets, heads); }};
    };
    const auto call = [](const Shape& qkv, const std::vector<int64_t>& offsets, int64_t heads) {
        return [=] { return attention(wrong(qkv), ragged(offsets), heads); };
    };
    return {"attention",
            {make(1, 1, {0, 1}), make(4, 2, {0, 5}), make(6, 2, {0, 3, 4, 9}),
             make(3, 3, {0, 0, 2, 2, 2, 5, 5}), make(4, 1, {0, 0}), make(4, 2, {0}),
             make(2, 1, {0, 63, 64}), make(1, 1, {0, 64, 129}), make(2, 2, {0, 70, 71}),
             make(2, 1, {0, 130}), make(1, 1, {0, 256, 258})},
            make(48, 4, {0, 100, 101, 101, 250, 330, 900}),
            {call({4, 6}, {0, 3}, 1), call({4, 6}, {0, 5}, 1), call({4, 6}, {0, 4}, 0),
             call({4, 6}, {0, 4}, -1), call({4, 6}, {0, 4}, 3), call({4, 7}, {0, 4}, 1),
             call({24}, {0, 4}, 1)}};
}

OpRow cross_entropy_row() {
    const auto make = [](int64_t N, int64_t V) {
        const std::vector<int32_t> targets = random_ids(N, V);
        return OpCase{{filled({N, V})},
                      [=](const Variables& in) { return cross_entropy(in[0], targets); },
                      [=](const Tensors& in) { return textbook::cross_entropy(in[0], targets); }};
    };
    return {"cross_entropy",
            {make(1, 1), make(1, 7), make(6, 1), make(3, 5), make(2, 33), make(0, 3)},
            make(200, 333),
            {[] {
                 return cross_entropy(wrong({2, 3}), {0});
             },
             [] {
                 return cross_entropy(wrong({2, 3}), {0, 3});
             },
             [] {
                 return cross_entropy(wrong({2, 3}), {-1, 0});
             },
             [] { return cross_entropy(wrong({3}), {0}); },
             [] {
                 return cross_entropy(wrong({1, 2, 3}), {0, 0});
             }}};
}

OpRow linear_cross_entropy_row() {
    const auto make = [](int64_t N, int64_t C, int64_t V) {
        const std::vector<int32_t> targets = random_ids(N, V);
        return OpCase{
            {filled({N, C}), filled({V, C}, 1)},
            [=](const Variables& in) { return linear_cross_entropy(in[0], in[1], targets); },
            [=](const Tensors& in) {
                return textbook::cross_entropy(textbook::linear(in[0], in[1], Tensor()), targets);
            }};
    };
    return {
        "linear_cross_entropy",
        {make(1, 1, 1), make(1, 3, 7), make(6, 2, 1), make(3, 3, 5), make(2, 5, 33), make(0, 2, 3)},
        make(2100, 20, 90),
        {[] {
             return linear_cross_entropy(wrong({2, 3}), wrong({4, 3}), {0});
         },
         [] {
             return linear_cross_entropy(wrong({2, 3}), wrong({4, 2}), {0, 0});
         },
         [] {
             return linear_cross_entropy(wrong({2, 3}), wrong({4, 3}), {0, 4});
         },
         [] {
             return linear_cross_entropy(wrong({2, 3}), wrong({4, 3}), {-1, 0});
         },
         [] {
             return linear_cross_entropy(wrong({3}), wrong({4, 3}), {0});
         }}};
}
}  // namespace

std::vector<OpRow> transformer_rows() {
    return {gate_rows_row(),           scale_rows_row(),          fused_feed_forward_row(),
            sparse_feed_forward_row(), block_feed_forward_row(),  attention_row(),
            cross_entropy_row(),       linear_cross_entropy_row()};
}

}  // namespace smoe
