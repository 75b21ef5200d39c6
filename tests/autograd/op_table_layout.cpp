// The rows of the ops that move numbers and compute nothing: transpose, cat, narrow, and rows taken
// by id.
// Read next: op_table_transformer.cpp.
#include <algorithm>

#include "autograd/ops.h"
#include "tests/autograd/op_rows.h"
#include "tests/autograd/textbook.h"

namespace smoe {
namespace {

OpRow transpose_row() {
    const auto make = [](const Shape& shape, int dim0, int dim1) {
        return OpCase{{filled(shape)},
                      [=](const Variables& in) { return transpose(in[0], dim0, dim1); },
                      [=](const Tensors& in) { return textbook::transpose(in[0], dim0, dim1); }};
    };
    OpRow row{"transpose", {}, make({2, 90, 3, 130}, 1, 3), {}};
    for (const Shape& shape : std::vector<Shape>{{1},
                                                 {5},
                                                 {1, 7},
                                                 {3, 17},
                                                 {19, 33},
                                                 {0, 4},
                                                 {2, 3, 4},
                                                 {5, 1, 2},
                                                 {0, 1 << 30},
                                                 {2, 3, 4, 5}}) {
        for (int dim0 = 0; dim0 < shape.rank(); ++dim0) {
            for (int dim1 = 0; dim1 < shape.rank(); ++dim1) {
                row.cases.push_back(make(shape, dim0 - shape.rank(), dim1));
            }
        }
    }
    const auto call = [](const Shape& shape, int dim0, int dim1) {
        return [=] { return transpose(wrong(shape), dim0, dim1); };
    };
    row.bad_calls = {call({2, 3}, 0, 2), call({2, 3}, 2, 0), call({2, 3}, -3, 0), call({}, 0, 0)};
    return row;
}

OpRow cat_row() {
    const auto make = [](const std::vector<Shape>& shapes, int dim) {
        Tensors parts;
        for (const Shape& shape : shapes) {
            parts.push_back(filled(shape, parts.size()));
        }
        return OpCase{parts, [=](const Variables& in) { return cat(in, dim); },
                      [=](const Tensors& in) { return textbook::cat(in, dim); }};
    };
    const auto call = [](const std::vector<Shape>& shapes, int dim) {
        return [=] {
            Variables parts;
            std::transform(shapes.begin(), shapes.end(), std::back_inserter(parts), wrong);
            return cat(parts, dim);
        };
    };
    return {
        "cat",
        {make({{5}}, 0), make({{2, 3}, {4, 3}}, 0), make({{2, 3}, {2, 1}, {2, 4}}, 1),
         make({{2, 3}, {2, 3}}, -1), make({{3, 2}, {3, 2}, {3, 2}}, -2), make({{0, 3}, {2, 3}}, 0),
         make({{2, 0}, {2, 3}, {2, 0}}, 1), make({{0, 2}, {0, 3}}, 1),
         make({{2, 1, 3}, {2, 2, 3}}, 1), make({{2, 1, 2, 3}, {2, 1, 2, 3}}, 3)},
        make({{3, 40, 200}, {3, 41, 200}, {3, 7, 200}}, 1),
        {call({}, 0), call({{2, 3}, {3, 2}}, 0), call({{2, 3}, {3}}, 0),
         call({{2, 3}, {2, 3, 1}}, 0), call({{2, 3}, {2, 3}}, 2), call({{2, 3}, {2, 3}}, -3),
         call({{}, {}}, 0), call({{2, 3}, {2, 4}}, 0)}};
}

OpRow narrow_row() {
    const auto make = [](const Shape& shape, int dim, int64_t start, int64_t length) {
        return OpCase{
            {filled(shape)},
            [=](const Variables& in) { return narrow(in[0], dim, start, length); },
            [=](const Tensors& in) { return textbook::narrow(in[0], dim, start, length); }};
    };
    const auto call = [](const Shape& shape, int dim, int64_t start, int64_t length) {
        return [=] { return narrow(wrong(shape), dim, start, length); };
    };
    return {"narrow",
            {make({5}, 0, 0, 5), make({5}, -1, 2, 1), make({5}, 0, 5, 0), make({4, 3}, 0, 1, 2),
             make({4, 3}, 1, 1, 2), make({0, 3}, 1, 1, 2), make({2, 5, 3}, 1, 2, 3),
             make({2, 3, 2, 4}, 3, 3, 1), make({2, 3, 2, 4}, -3, 0, 2)},
            make({3, 90, 400}, 1, 11, 70),
            {call({4, 3}, 0, 3, 2), call({4, 3}, 0, -1, 2), call({4, 3}, 0, 1, -1),
             call({4, 3}, 0, 5, 0), call({4, 3}, 1, 1, 3), call({4, 3}, 2, 0, 1),
             call({4, 3}, 0, int64_t(1) << 62, int64_t(1) << 62), call({}, 0, 0, 0)}};
}

OpRow index_select_row() {
    const auto make = [](const Shape& shape, int dim, const std::vector<int32_t>& index) {
        return OpCase{{filled(shape)},
                      [=](const Variables& in) { return index_select(in[0], dim, index); },
                      [=](const Tensors& in) { return textbook::index_select(in[0], dim, index); }};
    };
    const auto call = [](const Shape& shape, int dim, const std::vector<int32_t>& index) {
        return [=] { return index_select(wrong(shape), dim, index); };
    };
    return {"index_select",
            {make({4}, 0, {3, 3, 0}), make({4, 1}, 0, {2, 2, 2}), make({5, 3}, 0, {4, 0, 4, 4, 2}),
             make({3, 33}, 0, {1, 1}), make({3, 5}, 1, {4, 0, 4}), make({3, 5}, -1, {}),
             make({0, 2}, 0, {}), make({0, 2}, 1, {1, 1, 0}), make({2, 3, 4}, 1, {2, 0, 2, 1, 0}),
             make({2, 2, 3, 2}, -2, {0, 0, 2})},
            make({2, 9, 100}, 1, random_ids(300, 9)),
            {call({3, 2}, 0, {0, 3}), call({3, 2}, 1, {-1}), call({0, 2}, 0, {0}),
             call({3, 2}, 2, {0}), call({3, 2}, -3, {0}), call({}, 0, {})}};
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

}  // namespace

std::vector<OpRow> layout_rows() {
    return {transpose_row(),    cat_row(),       narrow_row(),
            index_select_row(), embedding_row(), pick_row()};
}

}  // namespace smoe
