// Recomputation in backward: a rule that records the part of the graph which forward left out, and
// walks it. A walk inside a walk is nothing special to the engine.
// Read next: tests/autograd/recompute_test.cpp, which counts bytes and calls.
#include "autograd/recompute.h"

#include "autograd/engine.h"

namespace smoe {

Variable recompute(const std::function<Variable(const Variable&)>& part, const Variable& x) {
    if (!x.requires_grad()) {
        return part(x);
    }
    const auto value = [&] {
        const NoGrad no_grad;
        return part(x).value();
    };
    return record("recompute", value(), {x},
                  [part, X = x.value()](const Tensor& dout, std::span<Tensor* const> din) {
                      const GradMode recording(true);  // the walk around may be under NoGrad
                      const Variable leaf(X, true), result = part(leaf);
                      if (result.requires_grad()) {     // else it is the same whatever x is
                          leaf.node()->grad = *din[0];  // the same numbers: the walk adds to din
                          backward(result, dout);
                      }
                  });
}

}  // namespace smoe
