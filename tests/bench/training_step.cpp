// One step, repeated: forward, backward, optimiser, on a batch that stays the same. Its peak does
// not count what others hold in memory.
// Read next: training.cpp.
#include "tests/bench/training_step.h"

#include "autograd/autocast.h"
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/storage.h"

namespace smoe::bench {

TrainingStep::TrainingStep(const DecoderSettings& settings, const OptimizerSettings& optimizer,
                           const Batch& batch, const Experts& experts, Precision precision)
    : before_(memory_use().live),
      init_(1),
      dropout_(2),
      model_(settings, init_),
      flat_(model_),
      optimizer_(make_optimizer("schedule_free", flat_.values(), flat_.grads(), optimizer)),
      own_(memory_use().live - before_),
      batch_(batch),
      experts_(experts),
      precision_(precision) {}

void TrainingStep::run() {
    const auto losses = [this] {
        const Autocast autocast(precision_);
        return model_.losses(batch_.inputs, experts_, batch_.targets, &dropout_);
    };
    backward(mean(losses()));
    optimizer_->step();
    flat_.zero_grad();
}

int64_t TrainingStep::peak_bytes() {
    const int64_t others = memory_use().live - own_;
    reset_peak();
    run();
    return memory_use().peak - others;
}

}  // namespace smoe::bench
