// From the first step to the last: progress, metrics, evaluation, samples, checkpoints, and when to
// stop. How a step is taken is left to trainer.h.
// Read next: examples/smoe/train.cpp, which calls it.
#pragma once

#include <functional>

#include "models/text/dataset.h"
#include "models/text/tokenizer.h"
#include "models/training/run_directory.h"

namespace smoe {

enum class StopReason {
    finished,
    interrupted,
    nothing_to_do  // all steps were taken before
};

// Trains the run in `run` as its `config` says, from its last checkpoint if there is one, for at
// least one step unless all are taken, and leaves a checkpoint behind. `valid` may be null: then
// nothing is evaluated. `interrupted` is asked after each step. Prints progress on standard output.
// Throws Error if another process trains this run, if the loss is not finite or a file cannot be
// written; the last checkpoint stays as it is. `when_built` is called with the model before anything
// is printed or written, and may create the folder of a new run.
StopReason run_training(const RunDirectory& run, const Config& config, const Tokenizer& tokenizer,
                        const Dataset& train, const Dataset* valid,
                        const std::function<bool()>& interrupted,
                        const std::function<void(const SingleMoe&)>& when_built = {});

// The training losses in a run's metrics.jsonl as a curve of text; empty if there are none.
std::string loss_curve(const RunDirectory& run, int width, int height);

}  // namespace smoe
