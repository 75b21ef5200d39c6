// A training step as Trainer takes it once the router is frozen, with everything in sight: given
// experts, losses, backward, optimiser. It repeats one batch, so that every repetition does the
// same work. The cost of the router has its own row.
//
// Read next: training.cpp.
#pragma once

#include <memory>

#include "core/precision.h"
#include "models/text/dataset.h"
#include "models/transformer/decoder.h"
#include "nn/flat_parameters.h"
#include "nn/optim/optimizer.h"

namespace smoe::bench {

class TrainingStep {
  public:
    // experts (N), or empty for the dense network.
    TrainingStep(const DecoderSettings& settings, const OptimizerSettings& optimizer,
                 const Batch& batch, const Experts& experts,
                 Precision precision = Precision::float32);

    void run();

    const Decoder& model() const { return model_; }
    // The most bytes in tensors during a step: weights, gradients, optimiser and activations of
    // this network alone.
    int64_t peak_bytes();

  private:
    int64_t before_;  // bytes in tensors when this was built
    Rng init_, dropout_;
    Decoder model_;
    FlatParameters flat_;
    std::unique_ptr<Optimizer> optimizer_;
    int64_t own_;  // bytes that this keeps between steps
    const Batch& batch_;
    Experts experts_;
    Precision precision_;
};

}  // namespace smoe::bench
