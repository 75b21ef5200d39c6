// Gradients by differences, and what else must hold for the rule of any op. Everything is measured
// as one number, relative to the size of what is compared.
// Read next: gradient_check_test.cpp, where the checker is on trial.
#include "tests/autograd/gradient_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/rng.h"

namespace smoe {
namespace {

// The central difference over four points, (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h, is wrong by
// h^4 / 30 times the fifth derivative. That allows steps long enough for the rounding of f to
// vanish.
constexpr double step = sizeof(real) == 8 ? 1e-3 : 1.0 / 32;

// f'(0) for a function of the displacement.
double derivative(const std::function<double(double)>& f) {
    return (8 * (f(step) - f(-step)) - (f(2 * step) - f(-2 * step))) / (12 * step);
}

Tensor upstream_for(const Op& op, const std::vector<Tensor>& inputs, Upstream kind) {
    const NoGrad constant;
    const Shape shape = op(std::vector<Variable>(inputs.begin(), inputs.end())).shape();
    return kind == Upstream::ones ? Tensor::full(shape, 1) : random_tensor(shape, 77);
}

// sum over i of upstream[i] op(inputs)[i]
double weighted(const Op& op, const std::vector<Tensor>& inputs, const Tensor& upstream) {
    const NoGrad constant;
    const Variable out = op(std::vector<Variable>(inputs.begin(), inputs.end()));
    double total = 0;
    for (int64_t i = 0; i < out.value().numel(); ++i) {
        total += double(upstream.data()[i]) * double(out.value().data()[i]);
    }
    return total;
}

std::vector<Tensor> clones(const std::vector<Tensor>& tensors) {
    std::vector<Tensor> copies;
    for (const Tensor& tensor : tensors) {
        copies.push_back(tensor.clone());
    }
    return copies;
}

Tensor sum_of(const Tensor& a, const Tensor& b) {
    const NoGrad constant;
    return add(Variable(a), Variable(b)).value();
}

// The element in which a and b, of one shape, are farthest apart; the first NaN if there is one.
int64_t farthest(const Tensor& a, const Tensor& b) {
    int64_t found = 0;
    double worst = -1;
    for (int64_t i = 0; i < a.numel(); ++i) {
        const double apart = std::abs(double(a.data()[i]) - double(b.data()[i]));
        if (std::isnan(apart)) {
            return i;
        }
        found = apart > worst ? i : found;
        worst = std::max(worst, apart);
    }
    return found;
}

// Gradients smaller than this are compared absolutely: what is left of them is rounding.
constexpr double smallest_gradient = sizeof(real) == 8 ? 1e-2 : 1;

}  // namespace

Tensor random_tensor(const Shape& shape, uint64_t seed) {
    Rng rng(seed, 1);
    const Tensor tensor = Tensor::empty(shape);
    for (real& value : tensor.values()) {
        value = real(4 * rng.uniform() - 2);
    }
    return tensor;
}

std::vector<Tensor> gradients(const Op& op, const std::vector<Tensor>& inputs,
                              const Tensor& upstream, const std::vector<bool>& wanted) {
    std::vector<Variable> leaves;
    for (size_t i = 0; i < inputs.size(); ++i) {
        leaves.emplace_back(inputs[i], wanted[i]);
    }
    backward(op(leaves), upstream);
    std::vector<Tensor> result;
    for (const Variable& leaf : leaves) {
        result.push_back(leaf.requires_grad() ? leaf.grad() : Tensor());
    }
    return result;
}

std::vector<Tensor> gradients(const Op& op, const std::vector<Tensor>& inputs,
                              const Tensor& upstream) {
    return gradients(op, inputs, upstream, std::vector<bool>(inputs.size(), true));
}

std::ostream& operator<<(std::ostream& out, const GradientError& error) {
    std::vector<int64_t> place(size_t(error.shape.rank()));
    for (int64_t rest = error.element, dim = error.shape.rank(); dim-- > 0;) {
        place[size_t(dim)] = rest % error.shape[int(dim)];
        rest /= error.shape[int(dim)];
    }
    return out << error.value << " (input " << error.input << ", element " << error.element
               << fmt::format(" = ({}) of {}", fmt::join(place, ", "), error.shape.str())
               << ": the rule gives " << error.rule << ", differences give " << error.differences
               << ")";
}

GradientError gradient_error(const Op& op, const std::vector<Tensor>& inputs, Upstream kind) {
    const Tensor upstream = upstream_for(op, inputs, kind);
    const std::vector<Tensor> computed = gradients(op, inputs, upstream);
    const std::vector<Tensor> moved = clones(inputs);
    GradientError worst;
    for (size_t input = 0; input < inputs.size(); ++input) {
        const Tensor expected = Tensor::empty(inputs[input].shape());
        for (int64_t i = 0; i < expected.numel(); ++i) {
            const real here = inputs[input].data()[i];
            expected.data()[i] = real(derivative([&](double displacement) {
                moved[input].data()[i] = real(double(here) + displacement);
                return weighted(op, moved, upstream);
            }));
            moved[input].data()[i] = here;
        }
        const double error = difference(computed[input], expected, smallest_gradient);
        if (expected.numel() > 0 && error >= worst.value) {
            const Tensor found = computed[input].defined()
                                     ? computed[input]
                                     : Tensor::full(expected.shape(), real(NAN));
            const int64_t element = farthest(found, expected);
            worst = {error,
                     input,
                     element,
                     double(found.data()[element]),
                     double(expected.data()[element]),
                     inputs[input].shape()};
        }
    }
    return worst;
}

double directional_error(const Op& op, const std::vector<Tensor>& inputs) {
    const Tensor upstream = upstream_for(op, inputs, Upstream::random);
    const std::vector<Tensor> computed = gradients(op, inputs, upstream);
    const std::vector<Tensor> moved = clones(inputs);
    std::vector<Tensor> direction;
    double slope = 0;  // gradient times direction
    for (size_t input = 0; input < inputs.size(); ++input) {
        direction.push_back(random_tensor(inputs[input].shape(), 500 + input));
        for (int64_t i = 0; i < inputs[input].numel(); ++i) {
            slope += double(computed[input].data()[i]) * double(direction[input].data()[i]);
        }
    }
    const double expected = derivative([&](double displacement) {
        for (size_t input = 0; input < inputs.size(); ++input) {
            for (int64_t i = 0; i < inputs[input].numel(); ++i) {
                moved[input].data()[i] = real(double(inputs[input].data()[i]) +
                                              displacement * double(direction[input].data()[i]));
            }
        }
        return weighted(op, moved, upstream);
    });
    const double error = std::abs(slope - expected) / std::max(1.0, std::abs(expected));
    return std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}

double reuse_error(const Op& op, const std::vector<Tensor>& inputs) {
    const Tensor upstream = upstream_for(op, inputs, Upstream::random);
    const std::vector<Tensor> once = gradients(op, inputs, upstream);
    const std::vector<Tensor> twice =
        gradients([&](const std::vector<Variable>& leaves) { return add(op(leaves), op(leaves)); },
                  inputs, upstream);
    double worst = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
        worst = std::max(worst, difference(twice[i], sum_of(once[i], once[i])));
    }
    return worst;
}

double same_input_error(const Op& op, const std::vector<Tensor>& inputs, size_t i, size_t j) {
    std::vector<Tensor> equal = inputs;
    equal[j] = inputs[i];
    const Tensor upstream = upstream_for(op, equal, Upstream::random);
    const std::vector<Tensor> apart = gradients(op, equal, upstream);
    const std::vector<Tensor> shared = gradients(
        [&](const std::vector<Variable>& leaves) {
            std::vector<Variable> places = leaves;
            places[j] = leaves[i];
            return op(places);
        },
        equal, upstream);
    return difference(shared[i], sum_of(apart[i], apart[j]));
}

double difference(const Tensor& a, const Tensor& b, double floor) {
    if (!(a.shape() == b.shape()) || !a.defined() || !b.defined()) {
        return std::numeric_limits<double>::infinity();
    }
    double worst = 0, largest = floor;
    for (int64_t i = 0; i < a.numel(); ++i) {
        const double error = std::abs(double(a.data()[i]) - double(b.data()[i]));
        if (std::isnan(error)) {
            return std::numeric_limits<double>::infinity();
        }
        worst = std::max(worst, error);
        largest = std::max(largest, std::abs(double(b.data()[i])));
    }
    return worst / largest;
}

}  // namespace smoe
