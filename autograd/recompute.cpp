// Recomputation in backward.
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
                      const Variable leaf(X, true);
                      leaf.node()->grad = *din[0];  // the same numbers: the walk adds to din
                      backward(part(leaf), dout);
                  });
}

}  // namespace smoe
