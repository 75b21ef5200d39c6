// Linear and MaskedLinear, the layer in which an expert lives. Masks are not learned: a table is
// handed in and stays.
// Read next: feed_forward.h, which makes a network of two of them.
#pragma once

#include "core/rng.h"
#include "core/row_matrix.h"
#include "nn/masks.h"
#include "nn/module.h"
#include "nn/routing.h"

namespace smoe {

// x (N, in) -> x weight^T + bias (N, out). Both start uniform in +-1/sqrt(in), as in PyTorch.
class Linear : public Module {
  public:
    Linear(const Scope& scope, int64_t in, int64_t out, bool with_bias, Rng& rng);
    Variable forward(const Variable& x) const;
    // x (M, in) -> y (M, out), unrecorded; `weights` are the rows of `weight`, in either precision.
    void step(int64_t rows, const real* x, const RowMatrix& weights, real* y) const;

    Variable& weight;  // (out, in)
    Variable* bias;    // (out), or null
};

// y = (x weight^T + bias) * m_e * c_e where m_e is the mask of the row's expert e in this layer and
// c_e = 1 / mean(m_e), or what else the scale says. Without experts it is a plain linear layer. The
// bias is masked too. Expert masks: github.com/DaiDaiLoh/ SingleMixtureOfExperts. Names in files:
// linear.weight, linear.bias, mask.
class MaskedLinear : public Module {
  public:
    // `table` (K, out) of 1 and 0, which is copied. Throws Error for a different shape, for
    // different numbers and for an expert that would keep no neuron.
    MaskedLinear(const Scope& scope, int64_t in, int64_t out, const Tensor& table, Rng& rng,
                 MaskScale scale = MaskScale::inverse);
    Variable forward(const Variable& x, const Experts& experts) const;

    // (K, out): the factors for y, m_e * c_e.
    const Tensor& masks() const { return masks_; }
    // The row of `expert` in masks(), or ones for no_expert.
    const real* masks_of(int32_t expert) const {
        return expert == no_expert ? ones_.data() : masks_.data() + expert * masks_.size(1);
    }
    bool all_kept() const { return all_kept_; }  // by every expert

    Linear linear;
    const Tensor& mask;  // (K, out)

  private:
    void check_buffer(const std::string& name, const Tensor& value) const override;
    void state_loaded() override;

    MaskScale scale_;
    Tensor masks_, ones_;
    bool all_kept_ = false;
};

}  // namespace smoe
