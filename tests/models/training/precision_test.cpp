// Training in bfloat16: what it rounds, and what it leaves alone. That threads and resuming change no
// bit of it, trainer_test.cpp and resume_test.cpp test.
// Read next: training_loop_test.cpp.
#include <doctest/doctest.h>

#include <cmath>

#include "models/training/trainer.h"
#include "tests/autograd/gradient_check.h"
#include "tests/models/small_run.h"

namespace smoe {

TEST_CASE("trainer: bfloat16 rounds in training alone, and not in the router") {
    Config config = small_config();
    const SmallRun run(config);
    config.precision = Precision::bfloat16;
    const SmallRun rounded(config);
    Trainer exact_trainer(run.config, run.data), trainer(rounded.config, rounded.data);
    const Batch batch = BatchStream(run.data).next();
    const auto evaluate = [&](Trainer& of) {
        const NoGrad no_grad;
        Decoder& model = of.moe().model;
        model.eval();
        const Experts experts(size_t(batch.size()), 0);
        const Tensor losses = model.losses(batch.inputs, experts, batch.targets).value();
        model.train();
        return losses;
    };
    CHECK(difference(evaluate(exact_trainer), evaluate(trainer)) == 0);
    const StepReport exact = exact_trainer.step(), report = trainer.step();
    const double apart = std::abs(exact.loss - report.loss);
    if (sizeof(real) == sizeof(double)) {
        CHECK(apart == 0);
    } else {
        CHECK(apart > 0);
        CHECK(apart < 0.01);
    }
    CHECK(exact.expert_tokens == report.expert_tokens);  // the router chose before any step
}

}  // namespace smoe
