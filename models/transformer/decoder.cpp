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
    return draw_mask_tables(s.mask_family, {.num_experts = s.num_experts, .rate = s.mask_rate},
                            s.mask_where, s.width, s.hidden,
                            stream(s.mask_seed, Stream::masks, 2 * number),
                            stream(s.mask_seed, Stream::masks, 2 * number + 1));
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
    return V * C + double(s.layers) * (attention + feed_forward + norms) + double(s.outputs) * C;
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
}

Block::Block(const Scope& scope, const DecoderSettings& s, uint64_t number, Rng& init)
    : Module(scope),
      attn({this, "attn"}, s.width, s.heads, init),
      ffn(make_feed_forward(s.feed_forward, {this, "ffn"}, feed_forward_sizes(s),
                            block_masks(s, number), init)),
      norm1({this, "norm1"}, s.width),
      norm2({this, "norm2"}, s.width),
      dropout_({this, "dropout"}, s.dropout) {}

Block::Draws Block::draw(Rng* rng) const {
    const Dropout::Draw attention = dropout_.draw(rng);
    return {attention, dropout_.draw(rng)};
}

Variable Block::forward(const Variable& x, const Sequences& sequences, const Routing& routing,
                        const Draws& draws) const {
    // The norm comes last, as in "Attention Is All You Need": norm(x + dropout(branch)).
    const Variable y = norm1.forward(x, attn.forward(x, sequences), draws[0]);
    return norm2.forward(y, ffn->forward(y, routing), draws[1]);
}

Block::Cache Block::make_cache(int64_t slots, int64_t context, int64_t rows,
                               StepMemory& memory) const {
    const int64_t width = norm1.weight.shape()[0];
    memory.reserve(attn.step_needs(rows, context), rows, width);
    memory.reserve(ffn->step_needs(rows), rows, width);
    return {attn.make_cache(slots, context), ffn->step_weights()};
}

void Block::step(const StepRows& rows, const Cache& cache, StepMemory& memory, real* x) const {
    norm1.step(rows.size(), attn.step(rows, x, cache.attn, memory), x);
    norm2.step(rows.size(), ffn->step(rows, x, cache.ffn, memory), x);
}

Decoder::Decoder(const DecoderSettings& settings, Rng& init)
    : Module(Scope{}),
      settings_(checked(settings)),
      token_embedding_({this, "token_embedding"}, settings.vocab, settings.width, init),
      pos_embedding_(
          register_buffer("pos_embedding", sinusoidal_positions(settings.context, settings.width)
                                               .reshape({1, settings.context, settings.width}))),
      decoder_({this, "decoder"}, settings.width, settings.outputs, false, init) {
    for (int64_t layer = 0; layer < settings.layers; ++layer) {
        layers_.push_back(std::make_unique<Block>(Scope{this, fmt::format("layers.{}", layer)},
                                                  settings, uint64_t(layer), init));
    }
}

Variable Decoder::forward(const Sequences& sequences, const Experts& experts, Rng* dropout) const {
    return decoder_.forward(features(sequences, experts, dropout));  // (N, outputs)
}

Variable Decoder::losses(const Sequences& sequences, const Experts& experts,
                         const std::vector<int32_t>& targets, Rng* dropout) const {
    return linear_cross_entropy(features(sequences, experts, dropout), decoder_.weight, targets);
}

Variable Decoder::features(const Sequences& sequences, const Experts& experts, Rng* dropout) const {
    check(sequences.longest() <= settings_.context,
          "model: a sequence of {} tokens is longer than the context of {}", sequences.longest(),
          settings_.context);
    // It is a constant, so no gradient is computed for what is not learned.
    const Variable table(pos_embedding_.reshape({settings_.context, settings_.width}));
    Variable x = add(token_embedding_.forward(sequences.tokens()),
                     index_select(table, 0, sequences.positions()));  // (N, C)
    // The tokens are sorted by expert once for all layers. The result is shared, since the graph
    // may outlive this call.
    const auto routing = std::make_shared<const Routing>(
        experts.empty() ? Routing::dense() : Routing(experts, settings_.num_experts));
    for (const std::unique_ptr<Block>& layer : layers_) {
        // The closure keeps the draws, so computing a block again drops the same elements.
        const auto block = [&layer = *layer, sequences, routing,
                            draws = layer->draw(dropout)](const Variable& in) {
            return layer.forward(in, sequences, *routing, draws);
        };
        x = settings_.recompute ? recompute(block, x) : block(x);  // (N, C)
    }
    return x;
}

}  // namespace smoe
