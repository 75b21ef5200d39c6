// The step that the benchmark repeats. Nothing else in the tests runs the benchmark, which must not
// be found broken by whoever wants to measure.
// Read next: tests/bench/training.cpp.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/bench/training_step.h"
#include "tests/models/small_run.h"

namespace smoe {

TEST_CASE("training step: the benchmark's step learns, with dropout and masks") {
    Config config = small_config();
    config.model.sizes.dropout = 0.1;
    const SmallRun run(config);
    const Batch batch = run.data.batch(std::vector<int64_t>{0, 1, 2});
    Experts experts(size_t(batch.size()));
    for (size_t n = 0; n < experts.size(); ++n) {
        experts[n] = int32_t(n % 4);
    }
    for (const Experts& of_rows : {experts, Experts()}) {
        bench::TrainingStep step(model_decoder(config.model), config.optim, batch, of_rows);
        const Tensor weight = step.model().decoder().weight.value(), before = weight.clone();
        step.run();
        CHECK(!std::ranges::equal(weight.values(), before.values()));
        CHECK(step.peak_bytes() > 0);
    }
}

}  // namespace smoe
