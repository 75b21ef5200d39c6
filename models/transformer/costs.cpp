// Each line is a product of the decoder, as often as a pass computes it. Backward multiplies twice
// for a product of forward, once for the gradient of each input.
// Read next: tests/models/transformer/costs_test.cpp.
#include "models/transformer/costs.h"

#include "autograd/ops.h"
#include "models/transformer/single_moe.h"

namespace smoe {
namespace {

double active_of(const std::vector<ProductCost>& products) {
    double sum = 0;
    for (const ProductCost& product : products) {
        sum += product.active;
    }
    return sum;
}

double total_of(const std::vector<ProductCost>& products) {
    double sum = 0;
    for (const ProductCost& product : products) {
        sum += product.total;
    }
    return sum;
}

// The sum over the batch of cost(expert), the cost of a row.
template <class Cost>
double over_rows(const BatchShape& batch, const Cost& cost) {
    if (batch.expert_tokens.empty()) {
        return batch.tokens * cost(no_expert);
    }
    double sum = 0;
    for (size_t e = 0; e < batch.expert_tokens.size(); ++e) {
        sum += batch.expert_tokens[e] * cost(int32_t(e));
    }
    return sum;
}

// One forward, or all steps.
double feed_forward_cost(const FeedForward& ffn, const BatchShape& batch, Pass pass) {
    if (pass == Pass::generation) {
        return over_rows(batch, [&](int32_t expert) { return ffn.step_cost(expert); });
    }
    const bool skips = batch.expert_tokens.empty() || ffn.skips_masked(batch.expert_tokens);
    return over_rows(batch, [&](int32_t expert) {
        return skips ? active_of(ffn.costs(expert)) : total_of(ffn.costs(expert));
    });
}

// Of a router inside the model. Backward makes the gradient of its input, and of its weight if it
// learns.
double block_router_cost(const BlockRouter& router, double tokens, bool learns, double forwards) {
    const double backwards = !learns ? 0 : router.parameter_count() > 0 ? 2 : 1;
    return (forwards + backwards) * tokens * router.cost();
}

}  // namespace

BatchShape BatchShape::of(const Sequences& sequences, const Experts& experts, int64_t num_experts) {
    BatchShape shape;
    for (size_t b = 0; b + 1 < sequences.offsets().size(); ++b) {
        shape.add_sequence(sequences.offsets()[b + 1] - sequences.offsets()[b]);
    }
    shape.expert_tokens.resize(experts.empty() ? 0 : size_t(num_experts));
    for (const int32_t expert : experts) {
        ++shape.expert_tokens[size_t(expert)];
    }
    return shape;
}

void BatchShape::add_sequence(int64_t length) {
    tokens += double(length);
    seen += double(length) * double(length + 1) / 2;
    pairs += double(attention_pairs(length));
}

double Costs::total() const {
    return attention_projections + attention_scores + feed_forward + output_projection + router;
}

Costs Costs::times(double factor) const {
    return {factor * attention_projections, factor * attention_scores, factor * feed_forward,
            factor * output_projection, factor * router};
}

Costs decoder_costs(const Decoder& decoder, const BatchShape& batch, Pass pass) {
    const DecoderSettings& s = decoder.settings();
    const double N = batch.tokens, C = double(s.width), V = double(s.outputs);
    const double layers = double(s.layers);
    const bool learns = pass == Pass::training || pass == Pass::training_logits;
    const double forwards = learns && s.recompute ? 2 : 1;
    const double times = forwards + (learns ? 2 : 0);
    Costs costs;
    costs.attention_projections = times * layers * N * 4 * C * C;
    // q k^T and p v. Backward computes the former again, and four gradients.
    const double pairs = pass == Pass::generation ? batch.seen : batch.pairs;
    costs.attention_scores = (2 * forwards + (learns ? 5 : 0)) * layers * pairs * C;
    for (const std::unique_ptr<Block>& layer : decoder.layers()) {
        costs.feed_forward += times * feed_forward_cost(*layer->ffn, batch, pass);
        if (layer->router != nullptr) {
            costs.router += block_router_cost(*layer->router, N, learns, forwards);
        }
    }
    if (decoder.router() != nullptr) {  // before the blocks, so never computed again
        costs.router += block_router_cost(*decoder.router(), N, learns, 1);
    }
    const bool again = pass == Pass::training && !keeps_logits(int64_t(N), s.outputs);
    costs.output_projection = (1 + (learns ? 2 : 0) + (again ? 1 : 0)) * N * C * V;
    return costs;
}

ParameterCounts parameter_counts(const SingleMoe& moe) {
    ParameterCounts counts{.total = double(moe.model.parameter_count()),
                           .router = double(moe.router->parameter_count())};
    BatchShape token{.tokens = 1};
    if (!moe.router->is_dense()) {
        const size_t K = size_t(moe.router->num_experts());
        token.expert_tokens.assign(K, 1 / double(K));
    }
    counts.active = counts.total;
    if (moe.model.router() != nullptr) {
        counts.router += double(moe.model.router()->parameter_count());
    }
    for (const std::unique_ptr<Block>& layer : moe.model.layers()) {
        counts.router += layer->router != nullptr ? double(layer->router->parameter_count()) : 0;
        counts.active += over_rows(token, [&](int32_t expert) {
            return layer->ffn->active_parameters(expert) - double(layer->ffn->parameter_count());
        });
    }
    return counts;
}

}  // namespace smoe
