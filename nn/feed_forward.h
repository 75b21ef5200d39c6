// The feed-forward network of a block as the block sees it: x (N, C) -> (N, C), each row by its
// expert. A kind of network is a class with that interface and a line in feed_forward.cpp, or, in a
// program of your own, feed_forward_kinds().add. It leaves the choice of experts to the caller.
// Read next: masked_feed_forward.h, the first kind.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/registry.h"
#include "core/row_matrix.h"
#include "nn/masks.h"
#include "nn/module.h"
#include "nn/routing.h"
#include "nn/step.h"

namespace smoe {

struct FeedForwardSizes {
    int64_t width = 0, hidden = 0, num_experts = 0;  // C, F, K
};

// Multiply-adds of one product for one row: with all its neurons, and with only those that the
// row's expert keeps.
struct ProductCost {
    std::string product;
    double total, active;
};

class FeedForward : public Module {
  public:
    FeedForward(const Scope& scope, const FeedForwardSizes& sizes) : Module(scope), sizes_(sizes) {}

    // x (N, C) -> (N, C). If the routing has weights, row n is multiplied by weights[n].
    Variable forward(const Variable& x, const Routing& routing) const;

    // Weights as steps read them, some of them copies. The weights must not change while they are
    // used.
    virtual std::vector<RowMatrix> step_weights(Precision /*precision*/) const { return {}; }
    virtual StepNeeds step_needs(int64_t /*rows*/) const { return {}; }
    // x (M, C) -> (M, C), by step_part for each of the parts that step_needs asks for, times the
    // rows' weights.
    StepParts step(const StepRows& rows, const real* x, const std::vector<RowMatrix>& step_weights,
                   StepMemory& memory) const;

    // The cost of each product for a row of this expert, which may be no_expert.
    virtual std::vector<ProductCost> costs(int32_t expert) const = 0;
    // Whether forward and backward leave out what experts mask, for a batch with rows[e] rows of
    // expert e, if they are recorded now. Otherwise they multiply with all neurons.
    virtual bool skips_masked(std::span<const double> /*rows*/) const { return true; }
    // Multiply-adds of a step for one row of this expert, if none of its neurons is silent.
    virtual double step_cost(int32_t expert) const;
    // How many trained numbers have a part in a row of this expert.
    virtual double active_parameters(int32_t expert) const;

    // The tables (K, width) of 1 and 0 by which experts differ.
    virtual std::vector<Tensor> masks() const { return {}; }

    const FeedForwardSizes& sizes() const { return sizes_; }

  private:
    // What forward and step do, except for the weights of the rows. y (M, C) is one part. Parts are
    // computed at the same time, and their sum is the output.
    virtual Variable compute(const Variable& x, const Routing& routing) const = 0;
    virtual void step_part(int64_t part, const StepRows& rows, const real* x,
                           const std::vector<RowMatrix>& step_weights, StepMemory& memory,
                           real* y) const = 0;

    FeedForwardSizes sizes_;
};

// A parameter (trained) or buffer of a network, under its name in state_dict().
struct SavedTensor {
    std::string name;
    Shape shape;
    bool trained;
};

struct FeedForwardKind {
    // A network with weights drawn from `init`; a kind without masks ignores the tables.
    std::function<std::unique_ptr<FeedForward>(const Scope& scope, const FeedForwardSizes& sizes,
                                               const MaskTables& masks, Rng& init)>
        make;
    // All that such a network will save. This is asked before anything is built, so that memory is
    // only taken for settings that a file fits.
    std::function<std::vector<SavedTensor>(const FeedForwardSizes& sizes)> saves;
};

//     masked    two layers with a ReLU between them, experts by masks; see masked_feed_forward.h
Registry<FeedForwardKind>& feed_forward_kinds();

// A network of the kind of this name. Throws Error for an unknown kind, and for one whose networks
// do not save what it says.
std::unique_ptr<FeedForward> make_feed_forward(const std::string& kind, const Scope& scope,
                                               const FeedForwardSizes& sizes,
                                               const MaskTables& masks, Rng& init);

}  // namespace smoe
