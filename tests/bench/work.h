// Multiply-adds, counted from the formulas and not from the code that runs: of the linear layers
// (forward, and in training once more for each of the two gradients), of causal attention (what
// lies on and below the diagonal: two products forward, four backward) and of the output
// projection. Nothing else counts, and nothing counts when it is computed a second time. If `kept`
// asks for it, only the neurons that an expert keeps count in its feed-forward network.
//
// Read next: roofline.h, how fast the machine can do them.
#pragma once

#include <cstdint>
#include <vector>

#include "models/text/dataset.h"
#include "models/transformer/decoder.h"

namespace smoe::bench {

// A linear layer, as often as the model has it: (tokens, in) -> (tokens, out).
struct LinearShape {
    const char* name;
    int64_t in, out, times;
};
std::vector<LinearShape> linear_shapes(const DecoderSettings& settings);

// The work of one pass over `batch`: forward alone, or a training step.
enum class Pass { forward, training };
double multiply_adds(const DecoderSettings& settings, const Batch& batch, Pass pass);

// The same for a model whose row n has expert experts[n] and computes only what that expert keeps.
double kept_multiply_adds(const Decoder& model, const Batch& batch, const Experts& experts,
                          Pass pass);

}  // namespace smoe::bench
