// What a model costs, from its sizes and masks alone: parameters, and the multiply-adds of its
// matrix products, by part. They are those that are really computed, in the form that runs; a test
// holds them against a run of counted products. Everything that is not a product is left out.
// Read next: models/training/run_costs.h, the same for a run; core/count_products.h.
#pragma once

#include <vector>

#include "core/sequences.h"
#include "models/transformer/decoder.h"

namespace smoe {

struct SingleMoe;

// What the products of a batch depend on. The numbers need not be whole, for a mean batch has a
// shape, too.
struct BatchShape {
    double tokens = 0;                    // N
    double seen = 0;                      // pairs of a position and one that it attends to
    double pairs = 0;                     // those that attention multiplies, see attention_pairs
    std::vector<double> expert_tokens{};  // (K) tokens of each expert; empty: the dense network

    static BatchShape of(const Sequences& sequences, const Experts& experts, int64_t num_experts);
    void add_sequence(int64_t length);
    BatchShape dense() const { return {tokens, seen, pairs}; }
};

// Multiply-adds by part.
struct Costs {
    double attention_projections = 0, attention_scores = 0, feed_forward = 0, output_projection = 0;
    double router = 0;

    double total() const;
    Costs times(double factor) const;
};

// What is done with a batch.
enum class Pass {
    inference,        // logits or losses of whole sequences
    training,         // losses and their gradients
    training_logits,  // logits and gradients, of losses that are computed from them
    generation        // logits of one token after the other, a text at a time; of a neuron that is
                      // silent for a token, more is counted than is computed
};

// Multiply-adds of a decoder for a batch, routers inside it included. Where those choose, the batch
// has the tokens that each expert gets in a block.
Costs decoder_costs(const Decoder& decoder, const BatchShape& batch, Pass pass);

struct ParameterCounts {
    double total = 0;   // of the model
    double active = 0;  // of those, the ones that have a part in a token: the mean over the experts
    double router = 0;  // of routers, inside the model or beside it
};
ParameterCounts parameter_counts(const SingleMoe& moe);

}  // namespace smoe
