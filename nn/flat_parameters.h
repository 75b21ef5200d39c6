// All parameters of a module in one piece of memory, and all gradients in another. So an optimiser
// is one loop, clearing gradients is one fill, and each part of an optimiser's state is saved as
// one tensor.
// Read next: optim/optimizer.h.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nn/module.h"

namespace smoe {

class FlatParameters {
  public:
    // Moves the parameters of `module` into `values` and their gradients into `grads`, in order.
    // The module must outlive this.
    explicit FlatParameters(Module& module);

    const Tensor& values() const { return values_; }  // (P)
    const Tensor& grads() const { return grads_; }    // (P)
    void zero_grad() const { grads_.fill(0); }
    // Where the gradient of a parameter begins in grads(); -1 for other tensors.
    int64_t place_of_grad(const Tensor& grad) const;

    // Scales all gradients, taken as one vector, down to length `most` if it is longer (Pascanu et
    // al., "On the Difficulty of Training Recurrent Neural Networks", 2013). Returns the length
    // before that, in double, so that large numbers do not overflow.
    double clip_grad_norm(double most) const;

    // Name of the first parameter with a NaN or an infinity in its part of `flat` (P), which may be
    // values() or grads(); empty if there is none.
    std::string first_not_finite(const Tensor& flat) const;

    // state_dict() of the module with its parameters taken from `values` (P) instead of its own
    // memory.
    std::map<std::string, Tensor> state_dict_with(const Tensor& values) const;

    // Where the parameters lie whose names match, as ranges [begin, end) of the flat buffers: rising,
    // and neighbours joined. For groups of an optimiser.
    std::vector<std::pair<int64_t, int64_t>> ranges(
        const std::function<bool(const std::string& name)>& matches) const;

  private:
    Module& module_;
    Tensor values_, grads_;
};

// The steps of clip_grad_norm, for a vector whose parts lie in several processes. squares
// (chunk_count of the whole vector) are sums over chunks of elementwise_grain numbers; clip_norm adds
// them up in order, and scales the part `x`.
size_t chunk_count(int64_t numbers);
void squares_of_chunks(std::span<const real> x, std::span<double> squares);
double clip_norm(std::span<real> x, std::span<const double> squares, double most);

}  // namespace smoe
