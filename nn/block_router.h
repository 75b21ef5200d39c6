// A router that stands inside a model and picks the expert of each row by what comes into a block.
// The block holds one behind this interface; routers that only need the tokens choose before the
// model runs and are left to models/transformer/routers.
// Read next: gate.h, the kind that learns.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "core/sequences.h"
#include "nn/feed_forward.h"

namespace smoe {

// Sees the experts of each block before they work, and may replace them: to count, permute or ban
// experts. scores (N, K) are those of the block's router, undefined if it has none. A block that is
// computed again in backward calls it once more, and then must get the same answer.
using ExpertHook = std::function<void(int64_t block, const Tensor& scores, Experts& experts)>;

class BlockRouter : public Module {
  public:
    BlockRouter(const Scope& scope, int64_t num_experts)
        : Module(scope), num_experts_(num_experts) {}

    int64_t num_experts() const { return num_experts_; }  // K

    // x (N, C), the rows of `sequences` in block number `block` -> the expert of each row, and, if
    // it scores them, the chosen score as the weight of the expert's output.
    Routing route(const Variable& x, const Sequences& sequences, int64_t block,
                  const ExpertHook& hook) const;

    // The same in an inference step, x (M, C): the rows with their experts and weights, which stay
    // in `memory` until the next call. Rows that come with an expert keep it.
    StepRows step(StepRows rows, const real* x, StepMemory& memory) const;
    virtual StepNeeds step_needs(int64_t /*rows*/) const { return {}; }

    // Multiply-adds of forward for a row, and of a step.
    virtual double cost() const { return 0; }

    // Called after each training step with the number of rows that each expert got, (K).
    virtual void balance(std::span<const int64_t> /*counts*/) {}

  protected:
    struct Choice {
        Experts experts;
        Variable scores;  // (N, K), undefined if there are none
    };

  private:
    virtual Choice choose(const Variable& x, const Sequences& sequences) const = 0;
    // Writes experts (M) where they are not forced already, that is, no_expert. Unless it has no
    // scores, it writes weights (M), of the forced ones, too; returns whether it has.
    virtual bool choose_step(const StepRows& rows, const real* x, StepMemory& memory,
                             std::span<int32_t> experts, std::span<real> weights) const = 0;

    int64_t num_experts_;
};

// Where such routers stand in a decoder, and how they are made.
struct BlockRouterKind {
    // The router of block number `block`, with weights drawn from `init`.
    std::function<std::unique_ptr<BlockRouter>(const Scope& scope, int64_t width, int64_t block,
                                               Rng& init)>
        make;
    // All that such a router will save, as FeedForwardKind's.
    std::function<std::vector<SavedTensor>(int64_t width)> saves;
    // One router, which decides by the embeddings what all blocks do, instead of one a block.
    bool once = false;
};

}  // namespace smoe
