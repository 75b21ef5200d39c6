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
namespace {

// Where a tensor of the module begins in its flat memory, in which the parameters lie; -1 for its
// buffers, which lie elsewhere.
int64_t place_in(const Tensor& flat, const Tensor& tensor) {
    const real* const first = flat.data();
    const std::less<const real*> before;
    return !before(tensor.data(), first) && before(tensor.data(), first + flat.numel())
               ? tensor.data() - first
               : -1;
}

}  // namespace

size_t chunk_count(int64_t numbers) {
    return size_t((numbers + elementwise_grain - 1) / elementwise_grain);
}

void squares_of_chunks(std::span<const real> x, std::span<double> squares) {
    parallel_for(int64_t(x.size()), elementwise_grain, [&](int64_t begin, int64_t end) {
        double total = 0;  // the square of a float may overflow one
#pragma omp simd reduction(+ : total)
        for (int64_t i = begin; i < end; ++i) {
            total += double(x[size_t(i)]) * double(x[size_t(i)]);
        }
        squares[size_t(begin / elementwise_grain)] = total;
    });
}

double clip_norm(std::span<real> x, std::span<const double> squares, double most) {
    const double norm = std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
    if (norm > most) {
        const real factor = real(most / norm);
        parallel_for(int64_t(x.size()), elementwise_grain, [&](int64_t begin, int64_t end) {
#pragma omp simd
            for (int64_t i = begin; i < end; ++i) {
                x[size_t(i)] *= factor;
            }
        });
    }
    return norm;
}

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

int64_t FlatParameters::place_of_grad(const Tensor& grad) const {
    return place_in(grads_, grad);
}

double FlatParameters::clip_grad_norm(double most) const {
    std::vector<double> squares(chunk_count(grads_.numel()));
    squares_of_chunks(grads_.values(), squares);
    return clip_norm(grads_.values(), squares, most);
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
        if (const int64_t begin = place_in(values_, tensor); begin >= 0) {
            tensor = values.narrow(begin, tensor.numel()).reshape(tensor.shape());
        }
    }
    return state;
}

std::vector<std::pair<int64_t, int64_t>> FlatParameters::ranges(
    const std::function<bool(const std::string& name)>& matches) const {
    std::vector<std::pair<int64_t, int64_t>> found;
    for (const auto& [name, tensor] : module_.state_dict()) {
        if (const int64_t begin = place_in(values_, tensor); begin >= 0 && matches(name)) {
            found.emplace_back(begin, begin + tensor.numel());
        }
    }
    std::sort(found.begin(), found.end());
    std::vector<std::pair<int64_t, int64_t>> joined;
    for (const auto& [begin, end] : found) {
        if (!joined.empty() && joined.back().second == begin) {
            joined.back().second = end;
        } else {
            joined.emplace_back(begin, end);
        }
    }
    return joined;
}

}  // namespace smoe
