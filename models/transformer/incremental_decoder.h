// The decoder for generation. It keeps the keys and values of the positions that it has seen, so
// that a new token costs one pass over the weights, and tokens of several sequences share it. The
// mathematics is that of Decoder::forward in evaluation mode; what differs is what is read: no
// weight of a neuron that the experts of all tokens mask, none that leads away from a silent one.
// Allocates everything at construction. Refuses gradients.
// Read next: core/matvec.h, models/generation/generator.h.
#pragma once

#include <span>
#include <vector>

#include "models/transformer/decoder.h"
#include "models/transformer/next_token.h"

namespace smoe {

class IncrementalDecoder {
  public:
    // Room for `slots` sequences, all empty. `decoder` must outlive this, and its weights must not
    // change meanwhile: some are kept transposed.
    IncrementalDecoder(const Decoder& decoder, int64_t slots);

    // What comes next in the sequence of a slot.
    using Next = NextToken;

    // Appends each of `next` to its sequence, in order, and writes the logits of the last ones, as
    // many as there is room for: logits (n, outputs). Throws Error, and changes nothing, for a
    // slot, token or expert that does not exist and for a sequence beyond the context. The bits of
    // a token's logits do not depend on the other tokens while there are at most few_vectors.
    void append(std::span<const Next> next, std::span<real> logits);

    int64_t length(int64_t slot) const { return lengths_[size_t(slot)]; }
    void clear();                         // all sequences are empty again
    void copy(int64_t from, int64_t to);  // the sequence of one slot to another
    const DecoderSettings& settings() const { return settings_; }

  private:
    // Tokens that go through the layers together.
    static constexpr int64_t max_rows = 128;

    struct Layer {
        const Block* block;
        Tensor attention_out;  // (C, C) transposed: row c is what channel c of the values adds to x
        Tensor hidden_out;     // (F, C) transposed: row f is what neuron f adds to x
        Tensor keys, values;   // (1, slots * heads, context, D)
    };

    void check_next(std::span<const Next> next, std::span<const real> logits);
    void embed(std::span<const Next> next);
    void attend(const Layer& layer, std::span<const Next> next, int64_t first_head,
                int64_t last_head, real* sum);
    void feed_forward(const Layer& layer, std::span<const Next> next, int64_t begin, int64_t end,
                      real* sum);
    void add_and_normalise(std::span<const Next> next, int64_t chunks, const MaskedLinear* masked,
                           const LayerNorm& norm);
    const real* masks(const MaskedLinear& linear, int32_t expert) const;
    real* cached(const Tensor& cache, int64_t slot, int64_t head) const;

    const Decoder& decoder_;
    DecoderSettings settings_;
    int64_t head_size_;                  // D
    int64_t head_grain_, hidden_grain_;  // heads and neurons in a chunk of parallel work
    std::vector<Layer> layers_;
    std::vector<int64_t> lengths_, wanted_;  // of the sequences, now and after an append
    std::vector<int64_t> positions_;         // of the rows
    Tensor ones_;                            // the masks of the dense network

    // For each of max_rows rows; chunks of parallel work have parts of their own.
    Tensor x_;                      // (rows, C)
    Tensor qkv_, mixed_;            // 3C and C numbers a row: those of a chunk lie together
    Tensor scores_;                 // (heads, context)
    Tensor hidden_;                 // F numbers a row
    std::vector<int32_t> neurons_;  // (F), numbers of neurons that are needed
    Tensor sums_;                   // (chunks, rows, C), what each chunk adds to x
};

}  // namespace smoe
