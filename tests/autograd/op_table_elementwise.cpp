// The rows of the ops that go element by element, broadcasting included, and of those that make one
// number of many.
// Read next: op_table_layout.cpp.
#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "tests/autograd/op_rows.h"
#include "tests/autograd/textbook.h"

namespace smoe {
namespace {

// Where the inputs of an op lie: it may have no derivative at 0, or be undefined below.
enum class Domain { all, not_zero, positive };

Tensor filled_in(Domain domain, const Shape& shape, uint64_t salt = 0) {
    const Tensor x = filled(shape, salt);
    for (real& value : x.values()) {
        value = domain == Domain::positive ? std::abs(value) : value;
        value += domain == Domain::all ? 0 : std::copysign(real(0.5), value);
    }
    return x;
}

OpRow unary(const std::string& name, Variable (*op)(const Variable&),
            const std::function<double(double)>& formula, Domain domain = Domain::all) {
    const auto make = [=](const Shape& shape) {
        return OpCase{{filled_in(domain, shape)},
                      [=](const Variables& in) { return op(in[0]); },
                      [=](const Tensors& in) { return textbook::map(in[0], formula); }};
    };
    OpRow row{name, {}, make(many), {}};
    std::transform(any_shapes.begin(), any_shapes.end(), std::back_inserter(row.cases), make);
    return row;
}

OpRow binary(const std::string& name, Variable (*op)(const Variable&, const Variable&),
             const std::function<double(double, double)>& formula,
             Domain domain_of_b = Domain::all) {
    const auto make = [=](const Shape& a, const Shape& b) {
        return OpCase{{filled(a), filled_in(domain_of_b, b, 1)},
                      [=](const Variables& in) { return op(in[0], in[1]); },
                      [=](const Tensors& in) { return textbook::map(in[0], in[1], formula); }};
    };
    OpRow row{name, {}, make(many, many), {}};
    for (const Shape& shape : any_shapes) {
        row.cases.push_back(make(shape, shape));
    }
    for (const auto& [a, b] : std::vector<std::pair<Shape, Shape>>{{{3, 4}, {4}},
                                                                   {{5}, {}},
                                                                   {{3, 4}, {}},
                                                                   {{3, 1}, {1}},
                                                                   {{2, 3, 5}, {5}},
                                                                   {{2, 3, 5}, {3, 5}},
                                                                   {{2, 2, 3, 2}, {3, 2}},
                                                                   {{1, 4}, {4}},
                                                                   {{0, 4}, {4}},
                                                                   {{0, 4}, {}},
                                                                   {{3, 0}, {0}}}) {
        row.cases.push_back(make(a, b));
    }
    const auto call = [op](const Shape& a, const Shape& b) {
        return [=] { return op(wrong(a), wrong(b)); };
    };
    row.bad_calls = {call({2, 3}, {3, 2}), call({6}, {2, 3}),       call({1}, {3}),
                     call({3}, {1}),       call({2, 3}, {2}),       call({2, 3}, {1, 3}),
                     call({}, {1}),        call({2, 3, 4}, {2, 3}), call({2, 3}, {1, 2, 3})};
    return row;
}

// The same with a large b that is broadcast.
OpRow broadcast_large(OpRow row, const Shape& a, const Shape& b) {
    row.large.inputs = {filled(a), filled_in(Domain::not_zero, b, 1)};
    return row;
}

OpRow scale_row() {
    return unary(
        "scale", [](const Variable& x) { return scale(x, real(-1.75)); },
        [](double x) { return -1.75 * x; });
}

// To a single number, and along each dim.
OpRow reduction(const std::string& name, Variable (*all)(const Variable&),
                Variable (*along)(const Variable&, int),
                const std::function<double(const std::vector<double>&)>& formula) {
    const auto make = [=](const Shape& shape) {
        return OpCase{{filled(shape)},
                      [=](const Variables& in) { return all(in[0]); },
                      [=](const Tensors& in) { return textbook::reduce(in[0], formula); }};
    };
    const auto make_along = [=](const Shape& shape, int dim) {
        return OpCase{{filled(shape)},
                      [=](const Variables& in) { return along(in[0], dim); },
                      [=](const Tensors& in) { return textbook::reduce(in[0], dim, formula); }};
    };
    OpRow row{name, {}, make(many), {}};
    for (const Shape& shape : any_shapes) {
        if (shape.numel() > 0 || name == "sum") {
            row.cases.push_back(make(shape));
        }
        for (int dim = -shape.rank(); dim < shape.rank(); ++dim) {
            if (shape[dim] > 0 || name == "sum") {
                row.cases.push_back(make_along(shape, dim));
            }
        }
    }
    row.bad_calls = {[along] {
                         return along(wrong({2, 3}), 2);
                     },
                     [along] {
                         return along(wrong({2, 3}), -3);
                     },
                     [along] { return along(wrong({}), 0); }};
    if (name == "mean") {
        row.large = make_along({41, 30, 50}, 1);
        row.bad_calls.push_back([] { return mean(wrong({0})); });
        row.bad_calls.push_back([] { return mean(wrong({3, 0})); });
        row.bad_calls.push_back([] { return mean(wrong({3, 0}), 1); });
    }
    return row;
}

// One element of each list along the dim stands out, so that a small step changes no maximum. What
// equals and NaN do is in extremes_test.cpp.
OpRow max_row() {
    const auto make = [](const Shape& shape, int dim) {
        const Tensor x = filled(shape);
        textbook::for_each_list(x, dim, [](int64_t number, const std::vector<real*>& list) {
            *list[size_t(number * 7 + 3) % list.size()] += 6;
        });
        return OpCase{{x},
                      [=](const Variables& in) { return max(in[0], dim); },
                      [=](const Tensors& in) {
                          return textbook::reduce(in[0], dim, [](const std::vector<double>& list) {
                              return *std::max_element(list.begin(), list.end());
                          });
                      }};
    };
    OpRow row{"max", {}, make({41, 30, 50}, 1), {}};
    for (const Shape& shape : any_shapes) {
        for (int dim = -shape.rank(); dim < shape.rank(); ++dim) {
            if (shape[dim] > 0) {
                row.cases.push_back(make(shape, dim));
            }
        }
    }
    const auto call = [](const Shape& shape, int dim) {
        return [=] { return max(wrong(shape), dim); };
    };
    row.bad_calls = {call({2, 3}, 2), call({2, 3}, -3), call({}, 0), call({2, 0}, 1),
                     call({0}, -1)};
    return row;
}

OpRow mse_loss_row() {
    const auto make = [](const Shape& shape) {
        return OpCase{{filled(shape), filled(shape, 1)},
                      [](const Variables& in) { return mse_loss(in[0], in[1]); },
                      [](const Tensors& in) { return textbook::mse_loss(in[0], in[1]); }};
    };
    OpRow row{"mse_loss", {}, make(many), {}};
    for (const Shape& shape : any_shapes) {
        if (shape.numel() > 0) {
            row.cases.push_back(make(shape));
        }
    }
    const auto call = [](const Shape& x, const Shape& target) {
        return [=] { return mse_loss(wrong(x), wrong(target)); };
    };
    row.bad_calls = {call({2, 3}, {3, 2}), call({2, 3}, {3}), call({2, 3}, {}),
                     call({0, 3}, {0, 3})};
    return row;
}

}  // namespace

std::vector<OpRow> elementwise_rows() {
    const auto total = [](const std::vector<double>& list) {
        double result = 0;
        for (const double x : list) {
            result += x;
        }
        return result;
    };
    const auto average = [total](const std::vector<double>& list) {
        return total(list) / double(list.size());
    };
    const auto sigmoid_of = [](double x) { return 1 / (1 + std::exp(-x)); };
    return {
        binary("add", add, [](double a, double b) { return a + b; }),
        broadcast_large(binary("sub", sub, [](double a, double b) { return a - b; }), {40, 2, 700},
                        {2, 700}),
        broadcast_large(binary("mul", mul, [](double a, double b) { return a * b; }), many, {}),
        broadcast_large(binary(
                            "div", div, [](double a, double b) { return a / b; }, Domain::not_zero),
                        {1500, 33}, {33}),
        scale_row(),
        unary("neg", neg, [](double x) { return -x; }),
        unary(
            "relu", relu, [](double x) { return std::max(x, 0.0); }, Domain::not_zero),
        unary("tanh", tanh, [](double x) { return std::tanh(x); }),
        unary("exp", exp, [](double x) { return std::exp(x); }),
        unary(
            "log", log, [](double x) { return std::log(x); }, Domain::positive),
        unary(
            "sqrt", sqrt, [](double x) { return std::sqrt(x); }, Domain::positive),
        unary("sigmoid", sigmoid, sigmoid_of),
        unary("silu", silu, [=](double x) { return x * sigmoid_of(x); }),
        unary("gelu", gelu, [](double x) { return x * (1 + std::erf(x / std::sqrt(2.0))) / 2; }),
        reduction("sum", sum, sum, total),
        reduction("mean", mean, mean, average),
        max_row(),
        mse_loss_row()};
}

}  // namespace smoe
