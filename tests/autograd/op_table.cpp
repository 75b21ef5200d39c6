// The rows. Sizes are chosen to hurt: one row, one column, none at all, not a multiple of any
// vector width, and sequences one below, at and above the block of 64 queries that attention works
// in.
#include "tests/autograd/op_table.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "core/rng.h"
#include "tests/autograd/textbook.h"

namespace smoe {
namespace {

using Variables = std::vector<Variable>;
using Tensors = std::vector<Tensor>;

const std::vector<Shape> any_shapes = {{},      {1},       {5},          {1, 1},
                                       {3, 17}, {2, 3, 4}, {2, 1, 3, 2}, {0, 4}};
const Shape many = {3, 16411};  // over three chunks of element-wise work, the last one short
const std::vector<Shape> matrices = {{1, 1}, {1, 7}, {6, 1}, {3, 5}, {2, 33}, {2, 2, 6}, {0, 3}};
const Shape many_rows = {700, 77};

Tensor filled(const Shape& shape, uint64_t salt = 0) {
    return random_tensor(shape, 10 * uint64_t(shape.numel()) + salt);
}

Variable wrong(const Shape& shape) {
    return Variable(Tensor::zeros(shape));
}

std::vector<int32_t> random_ids(int64_t count, int64_t range) {
    Rng rng(99, uint64_t(range));
    std::vector<int32_t> ids(static_cast<size_t>(count));
    for (int32_t& id : ids) {
        id = int32_t(rng.below(uint64_t(range)));
    }
    return ids;
}

OpRow unary(const std::string& name, const std::function<Variable(const Variable&)>& op,
            const std::function<double(double)>& formula, double away_from_zero = 0) {
    const auto make = [=](const Shape& shape) {
        const Tensor x = filled(shape);
        for (real& value : x.values()) {
            value += real(std::copysign(away_from_zero, double(value)));
        }
        return OpCase{{x},
                      [=](const Variables& in) { return op(in[0]); },
                      [=](const Tensors& in) { return textbook::map(in[0], formula); }};
    };
    OpRow row{name, {}, make(many), {}};
    std::transform(any_shapes.begin(), any_shapes.end(), std::back_inserter(row.cases), make);
    return row;
}

OpRow binary(const std::string& name, Variable (*op)(const Variable&, const Variable&),
             const std::function<double(double, double)>& formula) {
    const auto make = [=](const Shape& shape) {
        return OpCase{{filled(shape), filled(shape, 1)},
                      [=](const Variables& in) { return op(in[0], in[1]); },
                      [=](const Tensors& in) { return textbook::map(in[0], in[1], formula); }};
    };
    OpRow row{name, {}, make(many), {}};
    std::transform(any_shapes.begin(), any_shapes.end(), std::back_inserter(row.cases), make);
    row.bad_calls = {[op] {
                         return op(wrong({2, 3}), wrong({3, 2}));
                     },
                     [op] {
                         return op(wrong({6}), wrong({2, 3}));
                     },
                     [op] { return op(wrong({1}), wrong({3})); }};
    return row;
}

OpRow dropout_row() {
    const auto make = [](const Shape& shape, double p, uint64_t seed) {
        return OpCase{{filled(shape)},
                      [=](const Variables& in) { return dropout(in[0], p, seed); },
                      [=](const Tensors& in) { return textbook::dropout(in[0], p, seed); }};
    };
    OpRow row{"dropout", {}, make(many, 0.25, 9), {}};
    for (const Shape& shape : any_shapes) {
        row.cases.push_back(make(shape, 0.5, 3));
    }
    row.cases.push_back(make({4, 9}, 0.75, uint64_t(1) << 60));
    for (const double p : {1.0, -0.1, 2.0, std::nan("")}) {
        row.bad_calls.push_back([p] { return dropout(wrong({2}), p, 0); });
    }
    return row;
}

OpRow reduction(const std::string& name, Variable (*op)(const Variable&),
                Tensor (*loop)(const Tensor&)) {
    const auto make = [=](const Shape& shape) {
        return OpCase{{filled(shape)},
                      [=](const Variables& in) { return op(in[0]); },
                      [=](const Tensors& in) { return loop(in[0]); }};
    };
    OpRow row{name, {}, make(many), {}};
    for (const Shape& shape : any_shapes) {
        if (shape.numel() > 0 || name == "sum") {
            row.cases.push_back(make(shape));
        }
    }
    if (name == "mean") {
        row.bad_calls = {[] { return mean(wrong({0})); }, [] { return mean(wrong({3, 0})); }};
    }
    return row;
}

OpRow matmul_row() {
    const auto make = [](int64_t M, int64_t K, int64_t N) {
        return OpCase{{filled({M, K}), filled({K, N}, 1)},
                      [](const Variables& in) { return matmul(in[0], in[1]); },
                      [](const Tensors& in) { return textbook::matmul(in[0], in[1]); }};
    };
    return {"matmul",
            {make(1, 1, 1), make(1, 7, 3), make(5, 1, 4), make(3, 6, 1), make(4, 4, 4),
             make(3, 17, 5), make(0, 3, 2), make(2, 3, 0), make(2, 0, 3)},
            make(150, 140, 170),
            {[] {
                 return matmul(wrong({2, 3}), wrong({2, 3}));
             },
             [] {
                 return matmul(wrong({3}), wrong({3, 1}));
             },
             [] {
                 return matmul(wrong({2, 3}), wrong({1, 3, 2}));
             }}};
}

OpRow linear_row() {
    const auto make = [](int64_t N, int64_t I, int64_t O) {
        return OpCase{{filled({N, I}), filled({O, I}, 1), filled({O}, 2)},
                      [](const Variables& in) { return linear(in[0], in[1], in[2]); },
                      [](const Tensors& in) { return textbook::linear(in[0], in[1], in[2]); }};
    };
    const auto make_plain = [](int64_t N, int64_t I, int64_t O) {
        return OpCase{{filled({N, I}), filled({O, I}, 1)},
                      [](const Variables& in) { return linear(in[0], in[1]); },
                      [](const Tensors& in) { return textbook::linear(in[0], in[1], Tensor()); }};
    };
    return {"linear",
            {make(1, 1, 1), make(1, 7, 3), make(5, 1, 4), make(3, 6, 1), make(4, 4, 4),
             make(3, 17, 5), make(0, 3, 2), make(2, 3, 0), make(2, 0, 3), make_plain(1, 1, 1),
             make_plain(5, 5, 5), make_plain(3, 17, 5), make_plain(0, 3, 2), make_plain(2, 0, 3)},
            make(500, 140, 170),
            {[] {
                 return linear(wrong({2, 3}), wrong({3, 4}));
             },
             [] {
                 return linear(wrong({3}), wrong({4, 3}));
             },
             [] {
                 return linear(wrong({2, 3}), wrong({4, 3}), wrong({3}));
             },
             [] {
                 return linear(wrong({2, 3}), wrong({4, 3}), wrong({1, 4}));
             }}};
}

OpRow gate_rows_row() {
    const auto make = [](const Shape& shape, int64_t K) {
        const Tensor x = filled(shape), gates = filled({K, x.cols()}, 1);
        const std::vector<int32_t> labels = random_ids(x.rows(), K);
        return OpCase{{x},
                      [=](const Variables& in) { return gate_rows(in[0], gates, labels); },
                      [=](const Tensors& in) { return textbook::gate_rows(in[0], gates, labels); }};
    };
    OpRow row{"gate_rows", {}, make(many_rows, 5), {}};
    for (const Shape& shape : matrices) {
        row.cases.push_back(make(shape, 3));
    }
    row.cases.push_back(make({9, 4}, 1));
    const auto call = [](const Shape& x, const Shape& gates, const std::vector<int32_t>& labels) {
        return [=] { return gate_rows(wrong(x), Tensor::zeros(gates), labels); };
    };
    row.bad_calls = {call({2, 3}, {4, 2}, {0, 0}), call({2, 3}, {3}, {0, 0}),
                     call({2, 3}, {4, 3}, {0}),    call({2, 3}, {4, 3}, {0, 0, 0}),
                     call({2, 3}, {4, 3}, {0, 4}), call({2, 3}, {4, 3}, {-1, 0})};
    return row;
}

// Inputs of a feed-forward network whose hidden neurons stay away from the kink of the relu.
Tensors feed_forward_inputs(int64_t N, int64_t C, int64_t F) {
    Tensors inputs = {filled({N, C}), filled({F, C}, 1), filled({F}, 2), filled({C, F}, 3),
                      filled({C}, 4)};
    for (real& value : inputs[1].values()) {
        value *= real(0.5 / std::sqrt(double(C)));
    }
    for (real& value : inputs[2].values()) {
        value += std::copysign(real(4), value);
    }
    return inputs;
}

// Gates with zeros in them: about a share `rate` of each row, but not all of it.
Tensor random_gates(int64_t K, int64_t width, double rate, uint64_t salt) {
    const Tensor gates = filled({K, width}, salt);
    Rng rng(salt, uint64_t(width));
    for (int64_t i = 0; i < gates.numel(); ++i) {
        real& gate = gates.data()[i];
        gate = rng.uniform() < rate && i % width > 0 ? 0 : std::abs(gate) + real(0.5);
    }
    return gates;
}

FeedForwardWeights weights_of(const Variables& in) {
    return {in[1], in[2], in[3], in[4]};
}

struct FeedForwardCase {
    int64_t N, C, F, K;
    double hidden_rate, output_rate;
    std::vector<int32_t> labels;
};

// Both forms on the same cases: experts with all rows, one row and none, gates that keep all, few
// and one neuron.
OpRow feed_forward_row(const std::string& name, bool sparse) {
    const auto make = [sparse](const FeedForwardCase& c) {
        const ExpertGates gates{random_gates(c.K, c.F, c.hidden_rate, 7),
                                random_gates(c.K, c.C, c.output_rate, 8)};
        return OpCase{feed_forward_inputs(c.N, c.C, c.F),
                      [=](const Variables& in) {
                          return sparse ? sparse_feed_forward(in[0], weights_of(in), gates,
                                                              ExpertGroups(c.labels, c.K))
                                        : feed_forward(in[0], weights_of(in), gates, c.labels);
                      },
                      [=](const Tensors& in) {
                          return textbook::feed_forward(in, gates.hidden, gates.output, c.labels);
                      }};
    };
    OpRow row{name, {}, make({600, 40, 300, 3, 0.3, 0.2, random_ids(600, 3)}), {}};
    for (const FeedForwardCase& c :
         {FeedForwardCase{1, 1, 1, 1, 0, 0, {0}}, FeedForwardCase{4, 3, 5, 2, 0.5, 0, {1, 0, 1, 1}},
          FeedForwardCase{5, 6, 4, 3, 0, 0.5, {2, 0, 2, 2, 2}},
          FeedForwardCase{3, 4, 9, 4, 1, 1, {3, 0, 3}},
          FeedForwardCase{6, 17, 3, 2, 0.4, 0.4, {0, 0, 0, 0, 0, 0}}}) {
        row.cases.push_back(make(c));
    }
    if (!sparse) {
        row.cases.push_back(
            {feed_forward_inputs(3, 4, 7),
             [](const Variables& in) { return feed_forward(in[0], weights_of(in)); },
             [](const Tensors& in) { return textbook::feed_forward(in, {}, {}, {}); }});
    }
    struct Shapes {
        Shape x{2, 3}, weight_1{5, 3}, bias_1{5}, weight_2{3, 5}, bias_2{3};
        Shape hidden_gates{4, 5}, output_gates{4, 3};
        std::vector<int32_t> labels{0, 3};
    };
    const auto call = [sparse](const Shapes& s) {
        const FeedForwardWeights weights{wrong(s.weight_1), wrong(s.bias_1), wrong(s.weight_2),
                                         wrong(s.bias_2)};
        const ExpertGates gates{Tensor::zeros(s.hidden_gates), Tensor::zeros(s.output_gates)};
        return std::function<Variable()>([=] {
            return sparse
                       ? sparse_feed_forward(wrong(s.x), weights, gates, ExpertGroups(s.labels, 4))
                       : feed_forward(wrong(s.x), weights, gates, s.labels);
        });
    };
    row.bad_calls = {call({.x = {2, 4}}),
                     call({.x = {6}}),
                     call({.weight_1 = {5, 4}}),
                     call({.bias_1 = {4}}),
                     call({.weight_2 = {5, 3}}),
                     call({.bias_2 = {1, 3}}),
                     call({.hidden_gates = {4, 6}}),
                     call({.output_gates = {4, 5}}),
                     call({.output_gates = {3, 3}}),
                     call({.labels = {0}})};
    if (!sparse) {
        row.bad_calls.push_back(call({.labels = {0, 4}}));
        row.bad_calls.push_back(call({.labels = {-1, 0}}));
    }
    return row;
}

OpRow embedding_row() {
    const auto make = [](int64_t V, int64_t C, const std::vector<int32_t>& ids) {
        return OpCase{{filled({V, C})},
                      [=](const Variables& in) { return embedding(in[0], ids); },
                      [=](const Tensors& in) { return textbook::embedding(in[0], ids); }};
    };
    return {"embedding",
            {make(1, 1, {0}), make(4, 1, {3, 3, 0}), make(5, 3, {4, 0, 4, 4, 2}),
             make(3, 33, {1, 1}), make(3, 2, {})},
            make(9, 100, random_ids(400, 9)),
            {[] {
                 return embedding(wrong({3, 2}), {0, 3});
             },
             [] {
                 return embedding(wrong({3, 2}), {-1});
             },
             [] {
                 return embedding(wrong({0, 2}), {0});
             },
             [] { return embedding(wrong({3}), {0}); }}};
}

OpRow pick_row() {
    const auto make = [](const Shape& shape) {
        const Tensor x = filled(shape);
        const std::vector<int32_t> ids = random_ids(x.rows(), x.cols());
        return OpCase{{x},
                      [=](const Variables& in) { return pick(in[0], ids); },
                      [=](const Tensors& in) { return textbook::pick(in[0], ids); }};
    };
    OpRow row{"pick", {}, make(many_rows), {}};
    std::transform(matrices.begin(), matrices.end(), std::back_inserter(row.cases), make);
    row.bad_calls = {[] {
                         return pick(wrong({2, 3}), {0});
                     },
                     [] {
                         return pick(wrong({2, 3}), {0, 0, 0});
                     },
                     [] {
                         return pick(wrong({2, 3}), {0, 3});
                     },
                     [] {
                         return pick(wrong({2, 3}), {-1, 0});
                     }};
    return row;
}

OpRow softmax_row() {
    const auto make = [](const Shape& shape) {
        return OpCase{{filled(shape)},
                      [](const Variables& in) { return softmax(in[0]); },
                      [](const Tensors& in) { return textbook::softmax(in[0]); }};
    };
    OpRow row{"softmax", {}, make(many_rows), {}};
    std::transform(matrices.begin(), matrices.end(), std::back_inserter(row.cases), make);
    row.cases.push_back(make({4}));
    return row;
}

OpRow layer_norm_row() {
    const auto make = [](const Shape& shape) {
        const Tensor x = filled(shape);
        return OpCase{
            {x, filled({x.cols()}, 1), filled({x.cols()}, 2)},
            [](const Variables& in) { return layer_norm(in[0], in[1], in[2], real(0.125)); },
            [](const Tensors& in) { return textbook::layer_norm(in[0], in[1], in[2], 0.125); }};
    };
    OpRow row{"layer_norm", {}, make(many_rows), {}};
    std::transform(matrices.begin(), matrices.end(), std::back_inserter(row.cases), make);
    row.cases
        .push_back(  // with the usual eps, which must not be lost in another order of arguments
            OpCase{
                {filled({3, 8}), filled({8}, 1), filled({8}, 2)},
                [](const Variables& in) { return layer_norm(in[0], in[1], in[2]); },
                [](const Tensors& in) { return textbook::layer_norm(in[0], in[1], in[2], 1e-5); }});
    row.bad_calls = {[] {
                         return layer_norm(wrong({2, 3}), wrong({2}), wrong({3}));
                     },
                     [] {
                         return layer_norm(wrong({2, 3}), wrong({3}), wrong({2}));
                     },
                     [] {
                         return layer_norm(wrong({2, 3}), wrong({3}), {});
                     },
                     [] {
                         return layer_norm(wrong({2, 3}), wrong({1, 3}), wrong({3}));
                     }};
    return row;
}

OpRow residual_layer_norm_row() {
    const auto make = [](const Shape& shape, double p, uint64_t seed) {
        const Tensor x = filled(shape);
        return OpCase{
            {x, filled(shape, 3), filled({x.cols()}, 1), filled({x.cols()}, 2)},
            [=](const Variables& in) {
                return residual_layer_norm(in[0], in[1], in[2], in[3], p, seed, real(0.125));
            },
            [=](const Tensors& in) {
                const Tensor sum = textbook::map(in[0], textbook::dropout(in[1], p, seed),
                                                 [](double a, double b) { return a + b; });
                return textbook::layer_norm(sum, in[2], in[3], 0.125);
            }};
    };
    OpRow row{"residual_layer_norm", {}, make(many_rows, 0.25, 9), {}};
    for (const Shape& shape : matrices) {
        row.cases.push_back(make(shape, 0, 1));
        row.cases.push_back(make(shape, 0.5, 3));
    }
    row.cases.push_back(make({3, 150}, 0.125, uint64_t(1) << 60));
    const auto call = [](const Shape& x, const Shape& branch, const Shape& weight, double p) {
        return [=] {
            return residual_layer_norm(wrong(x), wrong(branch), wrong(weight), wrong({3}), p, 1);
        };
    };
    row.bad_calls = {call({2, 3}, {3, 2}, {3}, 0),    call({2, 3}, {3}, {3}, 0),
                     call({2, 3}, {2, 3}, {2}, 0),    call({2, 3}, {2, 3}, {3}, 1),
                     call({2, 3}, {2, 3}, {3}, -0.1), call({2, 4}, {2, 4}, {4}, 0)};
    return row;
}

OpRow attention_row() {
    const auto make = [](int64_t C, int64_t heads, const std::vector<int64_t>& offsets) {
        return OpCase{
            {filled({offsets.back(), 3 * C})},
            [=](const Variables& in) { return attention(in[0], offsets, heads); },
            [=](const Tensors& in) { return textbook::attention(in[0], offsets, heads); }};
    };
    const auto call = [](const Shape& qkv, const std::vector<int64_t>& offsets, int64_t heads) {
        return [=] { return attention(wrong(qkv), offsets, heads); };
    };
    return {"attention",
            {make(1, 1, {0, 1}), make(4, 2, {0, 5}), make(6, 2, {0, 3, 4, 9}),
             make(3, 3, {0, 0, 2, 2, 2, 5, 5}), make(4, 1, {0, 0}), make(4, 2, {0}),
             make(2, 1, {0, 63, 64}), make(1, 1, {0, 64, 129}), make(2, 2, {0, 70, 71}),
             make(2, 1, {0, 130}), make(1, 1, {0, 256, 258})},
            make(48, 4, {0, 100, 101, 101, 250, 330, 900}),
            {call({4, 6}, {0, 3}, 1), call({4, 6}, {1, 4}, 1), call({4, 6}, {0, 3, 2, 4}, 1),
             call({4, 6}, {}, 1), call({4, 6}, {0, 4}, 0), call({4, 6}, {0, 4}, -1),
             call({4, 6}, {0, 4}, 3), call({4, 7}, {0, 4}, 1), call({24}, {0, 4}, 1)}};
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

std::vector<OpRow> make_table() {
    const auto relu_formula = [](double x) { return std::max(x, 0.0); };
    const auto tanh_formula = [](double x) { return std::tanh(x); };
    return {binary("add", add, [](double a, double b) { return a + b; }),
            binary("sub", sub, [](double a, double b) { return a - b; }),
            binary("mul", mul, [](double a, double b) { return a * b; }),
            unary(
                "scale", [](const Variable& x) { return scale(x, real(-1.75)); },
                [](double x) { return -1.75 * x; }),
            unary("relu", relu, relu_formula, 0.5),  // no derivative at 0: stay away from it
            unary(
                "tanh", [](const Variable& x) { return tanh(x); }, tanh_formula),
            dropout_row(),
            reduction("sum", sum, textbook::sum),
            reduction("mean", mean, textbook::mean),
            matmul_row(),
            linear_row(),
            gate_rows_row(),
            feed_forward_row("feed_forward", false),
            feed_forward_row("sparse_feed_forward", true),
            embedding_row(),
            pick_row(),
            softmax_row(),
            layer_norm_row(),
            residual_layer_norm_row(),
            attention_row(),
            cross_entropy_row(),
            linear_cross_entropy_row()};
}

}  // namespace

std::string OpCase::label() const {
    std::string text;
    for (const Tensor& input : inputs) {
        text += input.shape().str() + " ";
    }
    return text;
}

const std::vector<OpRow>& op_table() {
    static const std::vector<OpRow> table = make_table();
    return table;
}

bool op_has_row(std::string_view name) {
    return std::any_of(op_table().begin(), op_table().end(),
                       [&](const OpRow& row) { return row.name == name; });
}

}  // namespace smoe
