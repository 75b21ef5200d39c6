// The decoder-only transformer of the project, post-norm, with expert masks in its feed-forward
// networks. The language model is a decoder with one output for each token, the router a decoder
// with one for each expert. Text and sampling are left to others.
// Read next: routers/router.h, single_moe.h; incremental_decoder.h for text token by token.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "nn/attention.h"
#include "nn/block_router.h"
#include "nn/feed_forward.h"
#include "nn/layers.h"

namespace smoe {

struct DecoderSettings {
    int64_t vocab = 0;    // V, tokens that can come in
    int64_t outputs = 0;  // columns of the logits
    int64_t context = 0;  // T, most positions of a sequence
    int64_t width = 0;    // C
    int64_t layers = 0;
    int64_t heads = 0;
    int64_t hidden = 0;  // F, width of the feed-forward networks
    double dropout = 0;
    int64_t num_experts = 0;  // K
    double mask_rate = 0;
    uint64_t mask_seed = 0;
    MaskWhere mask_where = MaskWhere::both;
    MaskScale mask_scale = MaskScale::inverse;
    std::string mask_family = "bernoulli";                       // a name in mask_families()
    std::string feed_forward = "masked";                         // a name in feed_forward_kinds()
    std::optional<BlockRouterKind> block_router = std::nullopt;  // who picks experts inside
    // Each feed-forward network also reads the token's embedding, added to its input.
    bool token_input = false;
    bool recompute = false;  // blocks keep their input only and are computed again in backward
};

// (length, width): sin(t / 10000^(2i/width)) in column 2i, the cosine in column 2i+1 (Vaswani et
// al., 2017, section 3.5).
Tensor sinusoidal_positions(int64_t length, int64_t width);

// The parameter count of a Decoder with these settings, without building one. It is a double, since
// settings may be anything.
double parameter_count(const DecoderSettings& settings);

// Throws Error, naming `origin`, unless `state` has the tensors that a Decoder's memory depends on,
// in the shapes that `settings` ask for. It takes no memory itself: a file of settings alone must
// not make a program fill the machine's memory.
void check_sizes(const DecoderSettings& settings, const std::map<std::string, Tensor>& state,
                 const std::string& origin);

// What goes through all blocks beside x.
struct BlockInputs {
    Sequences sequences;
    std::shared_ptr<const Routing> routing;  // for blocks without a router of their own
    Variable tokens;                         // (N, C) embeddings, undefined if not wanted
    ExpertHook hook;
};

//     y = norm1(x + dropout(attention(x)))
//     norm2(y + dropout(feed-forward(y, expert))), or of y + tokens where tokens are given
class Block : public Module {
  public:
    Block(const Scope& scope, const DecoderSettings& settings, uint64_t number, Rng& init);

    // What one forward pass drops in both branches; see Dropout::draw.
    using Draws = std::array<Dropout::Draw, 2>;
    Draws draw(Rng* rng) const;

    // x (N, C), the rows of `inputs.sequences` -> (N, C)
    Variable forward(const Variable& x, const BlockInputs& inputs, const Draws& draws) const;

    struct Cache {
        CausalSelfAttention::Cache attn;
        std::vector<RowMatrix> ffn;
    };
    // Makes a cache for `slots` sequences of up to `context` positions, with weights in that
    // precision. Reserves memory for steps of `rows` rows.
    Cache make_cache(int64_t slots, int64_t context, int64_t rows, Precision weights,
                     StepMemory& memory) const;
    // What forward does in evaluation mode, on x (M, C) in place; tokens (M, C), or null.
    void step(StepRows rows, const Cache& cache, StepMemory& memory, real* x,
              const real* tokens) const;

    CausalSelfAttention attn;
    std::unique_ptr<FeedForward> ffn;
    LayerNorm norm1, norm2;
    std::unique_ptr<BlockRouter> router;  // null if experts are chosen outside

  private:
    int64_t number_;
    Dropout dropout_;
};

//     x = E[token] + P[position];   per block: x = norm1(x + dropout(attn(x)))
//                                              x = norm2(x + dropout(ffn(x, expert)))
//     logits = x W_dec^T
class Decoder : public Module {
  public:
    // Draws weights from `init`. Throws Error for impossible sizes.
    Decoder(const DecoderSettings& settings, Rng& init);

    // experts (N) of the N tokens, or empty for the dense network and where routers inside choose ->
    // logits (N, outputs). Dropout draws from `dropout`, which may be null in evaluation mode and
    // where nothing is dropped. The hook sees the experts of each block.
    Variable forward(const Sequences& sequences, const Experts& experts, Rng* dropout = nullptr,
                     const ExpertHook& hook = {}) const;

    // Cross-entropy of those logits with targets (N) -> (N), in nats. The logits never exist all at
    // once.
    Variable losses(const Sequences& sequences, const Experts& experts,
                    const std::vector<int32_t>& targets, Rng* dropout = nullptr,
                    const ExpertHook& hook = {}) const;

    const DecoderSettings& settings() const { return settings_; }
    const Embedding& token_embedding() const { return token_embedding_; }
    const Tensor& pos_embedding() const { return pos_embedding_; }  // (1, T, C)
    const std::vector<std::unique_ptr<Block>>& layers() const { return layers_; }
    // The router that decides for all blocks by the embeddings; null if there is none.
    const BlockRouter* router() const { return router_.get(); }
    // Whether a parameter with this name in state_dict() belongs to a router inside.
    bool is_of_router(const std::string& name) const;
    // All routers inside, in the order of their blocks.
    std::vector<BlockRouter*> routers();
    const Linear& decoder() const { return decoder_; }  // the output projection

  private:
    // What the output projection is given, (N, C).
    Variable features(const Sequences& sequences, const Experts& experts, Rng* dropout,
                      const ExpertHook& hook) const;
    std::shared_ptr<const Routing> shared_routing(const Variable& x, const Sequences& sequences,
                                                  const Experts& experts,
                                                  const ExpertHook& hook) const;

    DecoderSettings settings_;
    Embedding token_embedding_;
    Tensor& pos_embedding_;  // (1, T, C)
    std::vector<std::unique_ptr<Block>> layers_;
    Linear decoder_;
    std::unique_ptr<BlockRouter> router_;
};

}  // namespace smoe
