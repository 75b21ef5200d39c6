// Golden files: what a reference implementation of the model in PyTorch computed from given weights
// and tokens, down to every gradient and the weights after some steps of training. Recomputing them
// is the proof that this model is that model (`smoe verify FILE`). Refuses to believe a file: every
// tensor in it is either an input whose shape fits or is compared. Read next:
// tests/models/golden_test.cpp, which tampers with every number of one.
#pragma once

#include <string>
#include <vector>

#include "core/safetensors.h"

namespace smoe {

struct GoldenQuantity {
    std::string name;   // as in the file: "logits", "grad.model.decoder.weight"
    double error;       // see below; infinite where a number is not finite
    std::string where;  // the place of the largest error: "(2, 0, 17)"
};

// The error of a number is |ours - golden| / max(|golden|, scale), the error of a quantity its
// largest. `scale` is the largest |golden| of the quantity, but at least 1e-3 and at most 1:
// numbers of common size are held to an absolute tolerance, small ones (gradients) to one relative
// to their fellows.
struct GoldenReport {
    static constexpr double tolerance = 1e-4;

    std::vector<GoldenQuantity> quantities;
    bool passed() const;
};

// Recomputes everything in the file. Throws Error for one that is no golden file: missing,
// left-over or ill-shaped tensors, impossible sizes.
GoldenReport verify_golden(const TensorFile& file);
GoldenReport verify_golden(const std::string& path);

}  // namespace smoe
