// What the stages of the course check an op with. There is a test case for each function that is to
// be written. Its name is "stage N: function", unless `holes` names cases of other tests for it.
// Read next: stage_1.cpp; COURSE.md, which says what is to be done.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "tests/autograd/gradient_check.h"
#include "tests/error_of.h"

namespace smoe {

using Variables = std::vector<Variable>;
using Tensors = std::vector<Tensor>;

inline std::string numbers_of(const Tensor& tensor) {
    std::string text = tensor.shape().str() + " [";
    for (int64_t i = 0; i < std::min<int64_t>(tensor.numel(), 12); ++i) {
        text += fmt::format("{}{:.5g}", i ? ", " : "", double(tensor.data()[i]));
    }
    return text + (tensor.numel() > 12 ? ", ...]" : "]");
}

inline void check_equal(const std::string& what, const Tensor& found, const Tensor& expected) {
    CHECK_MESSAGE(difference(found, expected) < 1e-11,
                  what << " should be " << numbers_of(expected) << ", found " << numbers_of(found));
}

// Values against a loop that is slow and obvious; then each element of each gradient against
// differences; then what a rule must get right besides: it adds to the gradient that is there, it
// leaves inputs alone, and it does without inputs of which no gradient is wanted.
inline void check_op(const std::string& what, const Tensors& inputs, const Op& op,
                     const std::function<Tensor(const Tensors&)>& expected) {
    Tensors before;
    for (const Tensor& input : inputs) {
        before.push_back(input.clone());
    }
    const Variable value = op(Variables(inputs.begin(), inputs.end()));
    check_equal(what, value.value(), expected(inputs));
    CHECK_MESSAGE(!value.requires_grad(), what << " of constants should record nothing");
    const GradientError error = gradient_error(op, inputs);
    CHECK_MESSAGE(error < 1e-7, "a gradient of " << what << " is off by " << error);
    CHECK_MESSAGE(
        reuse_error(op, inputs) < 1e-11,
        what << " called twice on the same inputs should give each the sum of both "
                "gradients: either the rule assigned to din, where it must add, or it added "
                "to memory that it should have overwritten");
    const Tensor upstream = random_tensor(value.shape(), 3);
    const Tensors all = gradients(op, inputs, upstream);
    for (size_t i = 0; i < inputs.size() && inputs.size() > 1; ++i) {
        std::vector<bool> wanted(inputs.size(), false);
        wanted[i] = true;
        check_equal(
            fmt::format(
                "the gradient of input {} of {}, where no other is wanted (din is null there),", i,
                what),
            gradients(op, inputs, upstream, wanted)[i], all[i]);
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
        check_equal(fmt::format("input {} of {}, which must stay as it was,", i, what), inputs[i],
                    before[i]);
    }
}

// Must throw an Error whose message begins with the name of the op and a colon.
inline void check_refused(const std::string& op, const std::string& what,
                          const std::function<void()>& call) {
    const std::string message = error_of(call);
    CHECK_MESSAGE(message.starts_with(op + ": "),
                  op << " of " << what
                     << " should be refused by check(), with a message that begins with \"" << op
                     << ": \"; found: " << message);
}

}  // namespace smoe
