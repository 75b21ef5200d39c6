// Recomputation in backward: a rule that records the part of the graph that forward left out, and
// walks it. To the engine, a walk inside a walk is nothing special.
// Read next: tests/autograd/recompute_test.cpp, which counts bytes and calls.
#include "autograd/recompute.h"

#include <algorithm>

#include "autograd/autocast.h"
#include "autograd/engine.h"

namespace smoe {

Variable recompute(const RecomputedPart& part, const std::vector<Variable>& inputs) {
    const auto wanted = [](const Variable& input) { return input.requires_grad(); };
    if (std::none_of(inputs.begin(), inputs.end(), wanted)) {
        return part(inputs);
    }
    const auto value = [&] {
        const NoGrad no_grad;
        return part(inputs).value();
    };
    std::vector<Tensor> values;
    for (const Variable& input : inputs) {
        values.push_back(input.value());
    }
    return record("recompute", value(), inputs,
                  [part, values, precision = Autocast::precision()](const Tensor& dout,
                                                                    std::span<Tensor* const> din) {
                      const Autocast autocast(precision);
                      const GradMode recording(true);  // the walk around may be under NoGrad
                      std::vector<Variable> leaves;
                      for (size_t i = 0; i < values.size(); ++i) {
                          leaves.push_back(values[i].defined()
                                               ? Variable(values[i], din[i] != nullptr)
                                               : Variable());
                      }
                      const Variable result = part(leaves);
                      if (!result.requires_grad()) {
                          return;  // it does not depend on the inputs
                      }
                      for (size_t i = 0; i < leaves.size(); ++i) {
                          if (din[i] != nullptr) {
                              leaves[i].node()->grad = *din[i];  // the walk adds to these numbers
                          }
                      }
                      backward(result, dout);
                  });
}

Variable recompute(const std::function<Variable(const Variable&)>& part, const Variable& x) {
    return recompute([part](std::span<const Variable> inputs) { return part(inputs[0]); },
                     std::vector<Variable>{x});
}

}  // namespace smoe
