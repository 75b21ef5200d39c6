// The rows, but for those of op_table_transformer.cpp. Sizes are chosen to hurt: one row, one
// column, none at all, not a multiple of any vector width.
// Read next: op_table_transformer.cpp; textbook.h, where the loops are.
#include "tests/autograd/op_table.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "tests/autograd/op_rows.h"
#include "tests/autograd/textbook.h"

namespace smoe {
namespace {

const std::vector<Shape> any_shapes = {{},      {1},       {5},          {1, 1},
                                       {3, 17}, {2, 3, 4}, {2, 1, 3, 2}, {0, 4}};
const Shape many = {3, 16411};  // over three chunks of element-wise work, the last one short

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
             }},
            2};
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

std::vector<OpRow> make_table() {
    const auto relu_formula = [](double x) { return std::max(x, 0.0); };
    const auto tanh_formula = [](double x) { return std::tanh(x); };
    std::vector<OpRow> rows = {
        binary("add", add, [](double a, double b) { return a + b; }),
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
        embedding_row(),
        pick_row(),
        softmax_row(),
        layer_norm_row(),
        residual_layer_norm_row()};
    const std::vector<OpRow> more = transformer_rows();
    rows.insert(rows.end(), more.begin(), more.end());
    return rows;
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
