// FlatParameters: moving parameters into one buffer.
#include "nn/flat_parameters.h"

#include <functional>

namespace smoe {

FlatParameters::FlatParameters(Module& module)
    : module_(module),
      values_(Tensor::empty({module.parameter_count()})),
      grads_(Tensor::zeros({module.parameter_count()})) {
    int64_t begin = 0;
    for (Variable* variable : module.parameters()) {
        const Shape shape = variable->shape();
        const int64_t end = begin + shape.numel();
        variable->rebind(values_.slice(begin, end).reshape(shape),
                         grads_.slice(begin, end).reshape(shape));
        begin = end;
    }
}

std::map<std::string, Tensor> FlatParameters::state_with(const Tensor& values) const {
    std::map<std::string, Tensor> state = module_.state();
    for (auto& [name, tensor] : state) {
        const real* const first = values_.data();
        const std::less<const real*> before;
        // A parameter lies in the flat buffer, a buffer of the module elsewhere.
        if (!before(tensor.data(), first) && before(tensor.data(), first + values_.numel())) {
            const int64_t begin = tensor.data() - first;
            tensor = values.slice(begin, begin + tensor.numel()).reshape(tensor.shape());
        }
    }
    return state;
}

}  // namespace smoe
