// Linear and MaskedLinear, the layer in which an expert lives. Refuses to learn masks: they are
// drawn once and stay.
// Read next: feed_forward.h, which makes a network of two of them.
#pragma once

#include <cstdint>
#include <vector>

#include "core/rng.h"
#include "nn/module.h"

namespace smoe {

// The expert of each row of a batch; empty: none, the dense network.
using Experts = std::vector<int32_t>;

// A tensor of uniform numbers in [-bound, bound).
Tensor uniform_tensor(const Shape& shape, double bound, Rng& rng);

// x (N, in) -> x weight^T + bias (N, out). Both start uniform in +-1/sqrt(in), as in PyTorch.
class Linear : public Module {
  public:
    Linear(const Scope& scope, int64_t in, int64_t out, bool with_bias, Rng& rng);
    Variable forward(const Variable& x) const;

    Variable& weight;  // (out, in)
    Variable* bias;    // (out), or null
};

// Which neurons an expert keeps in a layer of `width` neurons.
struct MaskDraw {
    int64_t num_experts = 0;
    double rate = 0;      // share of neurons switched off, in [0, 1); 0 keeps all
    uint64_t seed = 0;    // of all masks of a model
    uint64_t stream = 0;  // tells its layers apart
};

// (experts, width) of 0 and 1: an entry is 1 with probability 1 - rate. Throws Error for settings
// out of range.
Tensor draw_masks(const MaskDraw& draw, int64_t width);

// y = (x weight^T + bias) * m_e / mean(m_e) with m_e the mask of the row's expert e in this layer;
// without experts a plain linear layer. The bias is masked too. Expert masks: github.com/DaiDaiLoh/
// SingleMixtureOfExperts. Names in files: linear.weight, linear.bias, mask.
class MaskedLinear : public Module {
  public:
    // Throws Error for an expert that would keep no neuron, and as draw_masks does.
    MaskedLinear(const Scope& scope, int64_t in, int64_t out, const MaskDraw& draw, Rng& rng);
    Variable forward(const Variable& x, const Experts& experts) const;

    // (experts, out): mask / mean of its row, what y is multiplied with.
    const Tensor& masks() const { return masks_; }
    bool all_kept() const { return all_kept_; }  // by every expert

    Linear linear;
    const Tensor& mask;  // (experts, out)

  private:
    void check_buffer(const std::string& name, const Tensor& value) const override;
    void state_loaded() override;

    Tensor masks_;
    bool all_kept_ = false;
};

}  // namespace smoe
