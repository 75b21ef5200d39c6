// The gate: a linear layer that scores the experts for each row, and a bias that keeps them all
// busy. The row's expert gets the best sum of score and bias, and its output is multiplied by the
// score, through which the gate learns (Shazeer et al., 2017; Fedus et al., "Switch Transformers",
// 2021). The bias is not learned but moved after each step, so no loss pulls the gate away from
// what the model needs (Wang et al., "Auxiliary-Loss-Free Load Balancing", 2024, 2408.15664).
// Read next: models/transformer/routers/gate.cpp, where models get one.
#pragma once

#include "core/rng.h"
#include "nn/block_router.h"

namespace smoe {

struct GateSettings {
    bool learns = true;         // false: the weight stays as it was drawn
    double balance = 1e-3;      // u, by which a bias moves in a step; 0: none moves
    int64_t balance_steps = 1;  // W, steps over which rows are counted
};

//     score = 2 sigmoid(x weight^T) (N, K), so that it starts near 1
//     expert = argmax(score / 2 + bias)
//     after a step: load = (1 - 1/W) load + 1/W share of the rows,  bias += u sign(1/K - load)
class Gate : public BlockRouter {
  public:
    // weight starts uniform in +-1/sqrt(C), bias at 0, load at 1/K. Throws Error for settings out
    // of range.
    Gate(const Scope& scope, int64_t width, int64_t num_experts, const GateSettings& settings,
         Rng& init);
    // What it saves: `weight` (K, C), `bias` (K) and `load` (K).
    static std::vector<SavedTensor> saves(int64_t width, int64_t num_experts, bool learns);

    StepNeeds step_needs(int64_t rows) const override;
    double cost() const override { return double(weight().shape().numel()); }
    void balance(std::span<const int64_t> counts) override;

    const Tensor& bias() const { return bias_; }
    const Tensor& load() const { return load_; }

  private:
    Choice choose(const Variable& x, const Sequences& sequences) const override;
    bool choose_step(const StepRows& rows, const real* x, StepMemory& memory,
                     std::span<int32_t> experts, std::span<real> weights) const override;
    // The best expert by the scores (K) of a row.
    int32_t best(const real* scores) const;
    const Variable& weight() const { return trained_ != nullptr ? *trained_ : fixed_; }  // (K, C)

    GateSettings settings_;
    Variable* trained_;     // the weight if it learns, else null
    Variable fixed_;        // and otherwise
    Tensor &bias_, &load_;  // (K)
};

}  // namespace smoe
