// Golden files: what a reference implementation of the model in PyTorch computed from given weights
// and tokens, down to every gradient and the weights after some steps of training. Recomputing them
// is the proof that this model is that model (`smoe verify FILE`). It does not trust the file:
// every tensor in it either is an input whose shape fits, or is compared.
// Read next: tests/examples/golden_test.cpp, which tampers with every number of one.
#pragma once

#include <string>
#include <vector>

#include "core/safetensors.h"
#include "nn/feed_forward.h"

namespace smoe {

// How far a quantity is from its golden numbers: the largest |ours - golden| / max(1, |golden|),
// and the largest |ours - golden| / max(|golden|, scale) with scale the quantity's own largest
// |golden|, within [1e-3, 1]. The first is what is usually quoted. The second is never smaller, and
// also notices a wrong gradient whose numbers are all small. Both are infinite if a number is not
// finite.
struct GoldenQuantity {
    std::string name;   // as in the file: "logits", "grad.model.decoder.weight"
    double error;       // relative to max(1, |golden|)
    double own_error;   // relative to the quantity's own size
    std::string where;  // the place of the largest own_error: "(2, 0, 17)"

    bool passed(double tolerance) const { return own_error <= tolerance; }
};

struct GoldenReport {
    static constexpr double tolerance = 1e-4;

    std::vector<GoldenQuantity> quantities;
    bool passed() const;
};

// Recomputes everything in the file, with feed-forward networks of this kind. Throws Error if it is
// not a golden file: missing, left-over or ill-shaped tensors, impossible sizes.
GoldenReport verify_golden(const TensorFile& file, const std::string& feed_forward = "masked");

}  // namespace smoe
