// Decoder: embeddings, blocks, output projection. The random numbers of a block are drawn before it
// is computed, so that it can be computed again.
// Read next: incremental_decoder.cpp.
#include "models/transformer/decoder.h"

#include <cmath>

#include "autograd/ops.h"
#include "autograd/recompute.h"
#include "core/check.h"
#include "core/streams.h"

namespace smoe {
namespace {

// Called in the first member that is built from settings, so that nothing is built from impossible
// ones.
const DecoderSettings& checked(const DecoderSettings& s) {
    const auto positive = [](int64_t value, const char* what) {
        constexpr int64_t most = int64_t(1) << 24;
        check(value > 0 && value <= most, "model: {} must be from 1 to {}, found {}", what, most,
              value);
    };
    positive(s.vocab, "the vocabulary");
    positive(s.outputs, "the number of outputs");
    positive(s.context, "the context");
    positive(s.width, "the width");
    positive(s.layers, "the number of layers");
    positive(s.heads, "the number of heads");
    positive(s.hidden, "the feed-forward width");
    positive(s.num_experts, "the number of experts");
    check(s.width % s.heads == 0, "model: {} heads do not divide the width {}", s.heads, s.width);
    check(s.width % 2 == 0, "model: the width must be even for sine and cosine positions, found {}",
          s.width);
    return s;
}

// The mask tables of block `number`. Each of the two has its own stream.
MaskTables block_masks(const DecoderSettings& s, uint64_t number) {
    MaskTables tables = draw_mask_tables(
        s.mask_family, {.num_experts = s.num_experts, .rate = s.mask_rate}, s.mask_where, s.width,
        s.hidden, stream(s.mask_seed, Stream::masks, 2 * number),
        stream(s.mask_seed, Stream::masks, 2 * number + 1));
    tables.scale = s.mask_scale;
    return tables;
}

// Routers draw from streams of their own, so that models that differ in the router alone start from
// equal weights.
std::unique_ptr<BlockRouter> make_router(const Scope& scope, const DecoderSettings& s,
                                         uint64_t number, const Rng& init) {
    Rng own = stream(init.state().seed, Stream::router_weights, number);
    return s.block_router->make(scope, s.width, int64_t(number), own);
}

// The routing with the experts that the hook leaves.
std::shared_ptr<const Routing> hooked(const std::shared_ptr<const Routing>& routing, int64_t block,
                                      const ExpertHook& hook, const DecoderSettings& s) {
    Experts experts = routing->experts;
    hook(block, Tensor(), experts);
    return experts == routing->experts
               ? routing
               : std::make_shared<const Routing>(std::move(experts), s.num_experts);
}

// The routing with these weights, if there are any.
std::shared_ptr<const Routing> weighted(const std::shared_ptr<const Routing>& routing,
                                        const Variable& weights) {
    if (!weights.defined()) {
        return routing;
    }
    auto result = std::make_shared<Routing>(*routing);
    result->weights = weights;
    return result;
}

FeedForwardSizes feed_forward_sizes(const DecoderSettings& s) {
    return {.width = s.width, .hidden = s.hidden, .num_experts = s.num_experts};
}

}  // namespace

Tensor sinusoidal_positions(int64_t length, int64_t width) {
    const Tensor table = Tensor::empty({length, width});
    for (int64_t t = 0; t < length; ++t) {
        for (int64_t i = 0; i < width; ++i) {
            const double angle = double(t) / std::pow(10000.0, double(i - i % 2) / double(width));
            table.data()[t * width + i] = real(i % 2 == 0 ? std::sin(angle) : std::cos(angle));
        }
    }
    return table;
}

double parameter_count(const DecoderSettings& s) {
    const double V = double(s.vocab), C = double(s.width);
    const double attention = 4 * C * C, norms = 4 * C;
    double feed_forward = 0;
    for (const SavedTensor& tensor :
         feed_forward_kinds().find(s.feed_forward).saves(feed_forward_sizes(s))) {
        feed_forward += tensor.trained ? double(tensor.shape.numel()) : 0;
    }
    double router = 0, routers = 0;
    if (s.block_router) {
        for (const SavedTensor& tensor : s.block_router->saves(s.width)) {
            router += tensor.trained ? double(tensor.shape.numel()) : 0;
        }
        routers = s.block_router->once ? 1 : double(s.layers);
    }
    return V * C + double(s.layers) * (attention + feed_forward + norms) + double(s.outputs) * C +
           routers * router;
}

void check_sizes(const DecoderSettings& s, const std::map<std::string, Tensor>& state,
                 const std::string& origin) {
    const auto require = [&](const std::string& name, const Shape& shape) {
        const auto found = state.find(name);
        check(found != state.end(), "'{}' lacks the tensor '{}' of a model of {} layers", origin,
              name, s.layers);
        check(found->second.shape() == shape, "'{}': '{}' has shape {}, this model needs {}",
              origin, name, found->second.shape().str(), shape.str());
    };
    require("token_embedding.weight", {s.vocab, s.width});
    require("pos_embedding", {1, s.context, s.width});
    require("decoder.weight", {s.outputs, s.width});
    const std::vector<SavedTensor> feed_forward =
        feed_forward_kinds().find(s.feed_forward).saves(feed_forward_sizes(s));
    for (int64_t layer = 0; layer < s.layers; ++layer) {
        const std::string block = fmt::format("layers.{}.", layer);
        require(block + "attn.qkv_proj.weight", {3 * s.width, s.width});
        require(block + "attn.out_proj.weight", {s.width, s.width});
        for (const SavedTensor& tensor : feed_forward) {
            require(block + "ffn." + tensor.name, tensor.shape);
        }
    }
    if (s.block_router) {
        for (int64_t layer = 0; layer < (s.block_router->once ? 1 : s.layers); ++layer) {
            for (const SavedTensor& tensor : s.block_router->saves(s.width)) {
                require((s.block_router->once ? "" : fmt::format("layers.{}.", layer)) + "gate." +
                            tensor.name,
                        tensor.shape);
            }
        }
    }
}

Block::Block(const Scope& scope, const DecoderSettings& s, uint64_t number, Rng& init)
    : Module(scope),
      attn({this, "attn"}, s.width, s.heads, init),
      ffn(make_feed_forward(s.feed_forward, {this, "ffn"}, feed_forward_sizes(s),
                            block_masks(s, number), init)),
      norm1({this, "norm1"}, s.width),
      norm2({this, "norm2"}, s.width),
      router(s.block_router && !s.block_router->once ? make_router({this, "gate"}, s, number, init)
                                                     : nullptr),
      number_(int64_t(number)),
      dropout_({this, "dropout"}, s.dropout) {}

Block::Draws Block::draw(Rng* rng) const {
    const Dropout::Draw attention = dropout_.draw(rng);
    return {attention, dropout_.draw(rng)};
}

Variable Block::forward(const Variable& x, const BlockInputs& inputs, const Draws& draws) const {
    // The norm comes last, as in "Attention Is All You Need": norm(x + dropout(branch)).
    const Variable y = norm1.forward(x, attn.forward(x, inputs.sequences), draws[0]);
    const Variable in = inputs.tokens.defined() ? add(y, inputs.tokens) : y;
    const Variable branch =
        router != nullptr
            ? ffn->forward(in, router->route(in, inputs.sequences, number_, inputs.hook))
            : ffn->forward(in, *inputs.routing);
    return norm2.forward(y, branch, draws[1]);
}

Block::Cache Block::make_cache(int64_t slots, int64_t context, int64_t rows, Precision weights,
                               StepMemory& memory) const {
    const int64_t width = norm1.weight.shape()[0];
    memory.reserve(attn.step_needs(rows, context), rows, width);
    memory.reserve(ffn->step_needs(rows), rows, width);
    if (router != nullptr) {
        memory.reserve(router->step_needs(rows), rows, width);
    }
    return {attn.make_cache(slots, context, weights), ffn->step_weights(weights)};
}

void Block::step(StepRows rows, const Cache& cache, StepMemory& memory, real* x,
                 const real* tokens) const {
    const int64_t M = rows.size(), C = norm1.weight.shape()[0];
    norm1.step(M, attn.step(rows, x, cache.attn, memory), x);
    const real* in = x;
    if (tokens != nullptr) {
        real* const both = memory.inputs.data();  // (M, C)
        for (int64_t i = 0; i < M * C; ++i) {
            both[i] = x[i] + tokens[i];
        }
        in = both;
    }
    if (router != nullptr) {
        rows = router->step(rows, in, memory);
    }
    norm2.step(M, ffn->step(rows, in, cache.ffn, memory), x);
}

Decoder::Decoder(const DecoderSettings& settings, Rng& init)
    : Module(Scope{}),
      settings_(checked(settings)),
      token_embedding_({this, "token_embedding"}, settings.vocab, settings.width, init),
      pos_embedding_(
          register_buffer("pos_embedding", sinusoidal_positions(settings.context, settings.width)
                                               .reshape({1, settings.context, settings.width}))),
      decoder_({this, "decoder"}, settings.width, settings.outputs, false, init),
      router_(settings.block_router && settings.block_router->once
                  ? make_router({this, "gate"}, settings, 0, init)
                  : nullptr) {
    for (int64_t layer = 0; layer < settings.layers; ++layer) {
        layers_.push_back(std::make_unique<Block>(Scope{this, fmt::format("layers.{}", layer)},
                                                  settings, uint64_t(layer), init));
    }
}

Variable Decoder::forward(const Sequences& sequences, const Experts& experts, Rng* dropout,
                          const ExpertHook& hook) const {
    return decoder_.forward(features(sequences, experts, dropout, hook));  // (N, outputs)
}

Variable Decoder::losses(const Sequences& sequences, const Experts& experts,
                         const std::vector<int32_t>& targets, Rng* dropout,
                         const ExpertHook& hook) const {
    return linear_cross_entropy(features(sequences, experts, dropout, hook), decoder_.weight,
                                targets);
}

bool Decoder::is_of_router(const std::string& name) const {
    if (router_ != nullptr && name.starts_with("gate.")) {
        return true;
    }
    for (size_t l = 0; l < layers_.size(); ++l) {
        if (layers_[l]->router != nullptr && name.starts_with(fmt::format("layers.{}.gate.", l))) {
            return true;
        }
    }
    return false;
}

std::vector<BlockRouter*> Decoder::routers() {
    std::vector<BlockRouter*> found;
    if (router_ != nullptr) {
        found.push_back(router_.get());
    }
    for (const std::unique_ptr<Block>& layer : layers_) {
        if (layer->router != nullptr) {
            found.push_back(layer->router.get());
        }
    }
    return found;
}

// What the experts of all blocks are, where the blocks do not choose for themselves. Tokens are
// sorted by expert once for all layers.
std::shared_ptr<const Routing> Decoder::shared_routing(const Variable& x,
                                                       const Sequences& sequences,
                                                       const Experts& experts,
                                                       const ExpertHook& hook) const {
    if (router_ != nullptr) {
        return std::make_shared<const Routing>(router_->route(x, sequences, 0, hook));
    }
    return std::make_shared<const Routing>(
        experts.empty() ? Routing::dense() : Routing(experts, settings_.num_experts));
}

Variable Decoder::features(const Sequences& sequences, const Experts& experts, Rng* dropout,
                           const ExpertHook& hook) const {
    check(sequences.longest() <= settings_.context,
          "model: a sequence of {} tokens is longer than the context of {}", sequences.longest(),
          settings_.context);
    check(experts.empty() || !settings_.block_router,
          "model: its own routers choose the experts, so none can be given");
    const Variable tokens = token_embedding_.forward(sequences.tokens());  // (N, C)
    // It is a constant, so no gradient is computed for what is not learned.
    const Variable table(pos_embedding_.reshape({settings_.context, settings_.width}));
    Variable x = add(tokens, index_select(table, 0, sequences.positions()));  // (N, C)
    // The routing is shared, since the graph may outlive this call.
    const std::shared_ptr<const Routing> shared = shared_routing(x, sequences, experts, hook);
    for (size_t l = 0; l < layers_.size(); ++l) {
        const std::shared_ptr<const Routing> routing =
            hook && !settings_.block_router ? hooked(shared, int64_t(l), hook, settings_) : shared;
        // The closure keeps the draws, so computing a block again drops the same elements. What is
        // computed outside and has a gradient comes in beside x.
        const RecomputedPart block = [&layer = *layers_[l], sequences, routing, hook,
                                      draws =
                                          layers_[l]->draw(dropout)](std::span<const Variable> in) {
            return layer.forward(in[0], {sequences, weighted(routing, in[1]), in[2], hook}, draws);
        };
        const std::vector<Variable> in = {x, routing->weights,
                                          settings_.token_input ? tokens : Variable()};
        x = settings_.recompute ? recompute(block, in) : block(in);  // (N, C)
    }
    return x;
}

}  // namespace smoe
