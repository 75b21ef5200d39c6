// Is the gradient that backward computes the derivative of what forward computes? Each element of
// each input is moved a little and the change of the result is compared with the gradient. The
// upstream gradient is random: with ones, the sum of a softmax does not depend on its input, and a
// backward that returns zeros would pass. Each check returns the largest error, so that
// gradient_check_test.cpp can test the checker itself.
// Read next: gradient_check.cpp, then op_table.h.
#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <vector>

#include "autograd/variable.h"

namespace smoe {

using Op = std::function<Variable(const std::vector<Variable>& inputs)>;

// Errors below this pass. The double build is the precise one: only the truncation of the
// difference formula is left there. In float the rounding of the op itself limits what differences
// can tell. That build checks that its own code (the polynomial exp, the float product) has no
// gross mistake.
constexpr double gradient_tolerance = sizeof(real) == 8 ? 1e-8 : 1e-3;

// Numbers between -2 and 2.
Tensor random_tensor(const Shape& shape, uint64_t seed);

enum class Upstream { random, ones };

// The gradient of sum over i of upstream[i] op(inputs)[i] for each input i with wanted[i]. It is
// undefined for the others, which enter the op as constants.
std::vector<Tensor> gradients(const Op& op, const std::vector<Tensor>& inputs,
                              const Tensor& upstream, const std::vector<bool>& wanted);
std::vector<Tensor> gradients(const Op& op, const std::vector<Tensor>& inputs,
                              const Tensor& upstream);

// An error of a gradient, as a number in comparisons. Printed, as a failed CHECK does, it says where
// it is the largest: in which element of which input, and what rule and differences give there.
struct GradientError {
    double value = 0;
    size_t input = 0;
    int64_t element = 0;
    double rule = 0, differences = 0;
    Shape shape{};  // of the input

    operator double() const { return value; }
};
std::ostream& operator<<(std::ostream& out, const GradientError& error);

// Largest |gradient - difference quotient| over all elements of all inputs, relative to the largest
// element of that gradient.
GradientError gradient_error(const Op& op, const std::vector<Tensor>& inputs,
                             Upstream kind = Upstream::random);

// The same along one random direction through all inputs at once: two evaluations for any size.
double directional_error(const Op& op, const std::vector<Tensor>& inputs);

// Records the op twice on the same leaves: the gradients must be twice those of recording it once.
// Returns the largest relative difference. A rule that overwrites instead of adding fails here.
double reuse_error(const Op& op, const std::vector<Tensor>& inputs);

// Puts one leaf in the places of inputs i and j, which have equal shapes: its gradient must be the
// sum of those of the two places.
double same_input_error(const Op& op, const std::vector<Tensor>& inputs, size_t i, size_t j);

// Largest |a - b| relative to the larger of `floor` and the largest |b|; infinite for unequal
// shapes and if there is a NaN.
double difference(const Tensor& a, const Tensor& b, double floor = 1);

}  // namespace smoe
