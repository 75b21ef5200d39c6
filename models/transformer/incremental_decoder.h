// The decoder for generation. It keeps the keys and values of the positions that it has seen, so a
// new token costs one pass over the weights, and tokens of several sequences share that pass. The
// layers do the computing: this is a loop over their steps, with what they keep from one step to
// the next. It allocates everything at construction and computes no gradients.
// Read next: nn/step.h, models/generation/generator.h.
#pragma once

#include <span>
#include <vector>

#include "models/transformer/decoder.h"
#include "models/transformer/next_token.h"

namespace smoe {

class IncrementalDecoder {
  public:
    // Room for `slots` sequences, all empty. `decoder` must outlive this, and its weights must not
    // change meanwhile: some are kept transposed, or all of the large ones rounded to bfloat16,
    // which takes half as long to read.
    IncrementalDecoder(const Decoder& decoder, int64_t slots,
                       Precision weights = Precision::float32);

    // What comes next in the sequence of a slot.
    using Next = NextToken;

    // Appends each of `next` to its sequence, in order. It writes the logits of the last ones, as
    // many as there is room for: logits (n, outputs). Throws Error, and changes nothing, for a
    // slot, token or expert that does not exist and for a sequence beyond the context. With at most
    // few_vectors tokens, the bits of a token's logits do not depend on the other tokens.
    void append(std::span<const Next> next, std::span<real> logits);

    int64_t length(int64_t slot) const { return lengths_[size_t(slot)]; }
    void clear();                         // all sequences are empty again
    void clear(int64_t slot);             // that of one slot
    void copy(int64_t from, int64_t to);  // the sequence of one slot to another
    const DecoderSettings& settings() const { return settings_; }

  private:
    // How many tokens go through the layers together.
    static constexpr int64_t max_rows = 128;

    void check_next(std::span<const Next> next, std::span<const real> logits);
    StepRows embed(std::span<const Next> next);

    const Decoder& decoder_;
    DecoderSettings settings_;
    std::vector<Block::Cache> caches_;       // of each layer
    RowMatrix outputs_;                      // (outputs, C)
    std::vector<int64_t> lengths_, wanted_;  // of the sequences, now and after an append

    // The rows that go through the layers.
    std::vector<int32_t> slots_, tokens_, experts_;
    std::vector<int64_t> positions_;
    Tensor x_;                 // (rows, C)
    Tensor token_embeddings_;  // (rows, C), undefined where the blocks do not read them again
    StepMemory memory_;
};

}  // namespace smoe
