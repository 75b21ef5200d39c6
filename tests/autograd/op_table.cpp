// The table, and the rows of products and norms. Sizes are chosen to hurt: one row, one column,
// none at all, not a multiple of any vector width.
// Read next: op_table_elementwise.cpp; textbook.h, where the loops are.
#include "tests/autograd/op_table.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "tests/autograd/op_rows.h"
#include "tests/autograd/textbook.h"

namespace smoe {
namespace {

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

OpRow rms_norm_row() {
    const auto make = [](const Shape& shape) {
        const Tensor x = filled(shape);
        return OpCase{{x, filled({x.cols()}, 1)},
                      [](const Variables& in) { return rms_norm(in[0], in[1], real(0.125)); },
                      [](const Tensors& in) { return textbook::rms_norm(in[0], in[1], 0.125); }};
    };
    OpRow row{"rms_norm", {}, make(many_rows), {}};
    std::transform(matrices.begin(), matrices.end(), std::back_inserter(row.cases), make);
    row.cases.push_back(
        OpCase{{filled({3, 8}), filled({8}, 1)},
               [](const Variables& in) { return rms_norm(in[0], in[1]); },
               [](const Tensors& in) { return textbook::rms_norm(in[0], in[1], 1e-5); }});
    row.bad_calls = {[] {
                         return rms_norm(wrong({2, 3}), wrong({2}));
                     },
                     [] {
                         return rms_norm(wrong({2, 3}), wrong({1, 3}));
                     },
                     [] {
                         return rms_norm(wrong({2, 3}), wrong({}));
                     }};
    return row;
}

std::vector<OpRow> make_table() {
    std::vector<OpRow> rows = {dropout_row(), matmul_row(),     linear_row(),
                               softmax_row(), layer_norm_row(), residual_layer_norm_row(),
                               rms_norm_row()};
    for (const auto& more : {elementwise_rows(), layout_rows(), transformer_rows()}) {
        rows.insert(rows.end(), more.begin(), more.end());
    }
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
