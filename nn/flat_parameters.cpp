// FlatParameters: moving parameters into one buffer, and finding them there again by their address.
// The module keeps its Variables; only where their numbers lie changes.
// Read next: optim/optimizer.cpp.
#include "nn/flat_parameters.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

FlatParameters::FlatParameters(Module& module)
    : module_(module),
      values_(Tensor::empty({module.parameter_count()})),
      grads_(Tensor::zeros({module.parameter_count()})) {
    int64_t begin = 0;
    for (Variable* variable : module.parameters()) {
        const Shape shape = variable->shape();
        const int64_t end = begin + shape.numel();
        variable->rebind(values_.narrow(begin, end - begin).reshape(shape),
                         grads_.narrow(begin, end - begin).reshape(shape));
        begin = end;
    }
}

double FlatParameters::clip_grad_norm(double most) const {
    const int64_t P = grads_.numel();
    std::vector<double> squares(size_t(P / elementwise_grain + 1));  // of each chunk
    parallel_for(P, elementwise_grain, [&](int64_t begin, int64_t end) {
        double total = 0;  // the square of a float may overflow one
#pragma omp simd reduction(+ : total)
        for (int64_t i = begin; i < end; ++i) {
            total += double(grads_.data()[i]) * double(grads_.data()[i]);
        }
        squares[size_t(begin / elementwise_grain)] = total;
    });
    const double norm = std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
    if (norm > most) {
        const real factor = real(most / norm);
        parallel_for(P, elementwise_grain, [&](int64_t begin, int64_t end) {
#pragma omp simd
            for (int64_t i = begin; i < end; ++i) {
                grads_.data()[i] *= factor;
            }
        });
    }
    return norm;
}

std::string FlatParameters::first_not_finite(const Tensor& flat) const {
    for (const auto& [name, tensor] : state_dict_with(flat)) {
        const auto numbers = tensor.values();
        if (!std::all_of(numbers.begin(), numbers.end(), [](real x) { return std::isfinite(x); })) {
            return name;
        }
    }
    return "";
}

std::map<std::string, Tensor> FlatParameters::state_dict_with(const Tensor& values) const {
    std::map<std::string, Tensor> state = module_.state_dict();
    for (auto& [name, tensor] : state) {
        const real* const first = values_.data();
        const std::less<const real*> before;
        // Parameters lie in the flat memory, the module's buffers elsewhere.
        if (!before(tensor.data(), first) && before(tensor.data(), first + values_.numel())) {
            const int64_t begin = tensor.data() - first;
            tensor = values.narrow(begin, tensor.numel()).reshape(tensor.shape());
        }
    }
    return state;
}

}  // namespace smoe
