// The costs of a run against the counted products of its steps, through all that the router does.
// Read next: tests/models/transformer/costs_test.cpp, where the parts are checked.
#include "models/training/run_costs.h"

#include <doctest/doctest.h>

#include "core/count_products.h"
#include "tests/models/small_run.h"

namespace smoe {
namespace {

// Padded sequences are equally long, full batches equally large, and the fused form takes no notice
// of who the experts are: so the mean batch is each batch.
Config regular_config(const std::string& router) {
    Config config = small_config();
    config.model.router.kind = router;
    config.model.experts.feed_forward = "masked-fused";
    config.pad = true;
    config.batch = 4;  // five batches in an epoch
    config.model.router.steps = 5;
    return config;
}

}  // namespace

TEST_CASE("run costs: added up they are the products of the steps, whoever chooses the experts") {
    for (const char* router : {"router", "hash", "random", "none", "gate", "gate_first"}) {
        CAPTURE(router);
        const SmallRun run(regular_config(router));
        Trainer trainer(run.config, run.data);
        const RunCosts costs(trainer.moe(), run.config, run.data);
        CHECK(costs.multiply_adds(0, 0) == 0);
        const CountProducts count;
        // The router learns for an epoch, and in the next one it is asked for each sequence.
        for (int step = 1; step <= 14; ++step) {
            CAPTURE(step);
            trainer.step();
            CHECK(costs.multiply_adds(trainer.tokens(), step) ==
                  doctest::Approx(double(count.multiply_adds())).epsilon(1e-12));
        }
    }
}

TEST_CASE("run costs: without a text they are those of sequences as long as the context") {
    for (const char* router : {"router", "hash", "none", "gate"}) {
        CAPTURE(router);
        SmallRun run(regular_config(router));
        run.config.model.context = run.data.tokens_of(0);
        const SingleMoe moe(run.config.model, run.config.seed);
        const RunCosts with(moe, run.config, run.data), without(moe, run.config);
        CHECK(without.training.total() == doctest::Approx(with.training.total()));
        CHECK(without.generation.total() == doctest::Approx(with.generation.total()));
        CHECK(without.parameters.active == with.parameters.active);
    }
}

TEST_CASE("run costs: ragged text comes close, and a run that was stopped counts on") {
    const SmallRun run(small_config());
    Trainer trainer(run.config, run.data);
    const RunCosts costs(trainer.moe(), run.config, run.data);
    const CountProducts count;
    for (int step = 0; step < 14; ++step) {
        trainer.step();
    }
    CHECK(costs.multiply_adds(trainer.tokens(), 14) ==
          doctest::Approx(double(count.multiply_adds())).epsilon(0.05));
    Trainer resumed(run.config, run.data);
    resumed.load_state_dict(trainer.state_dict(), "state");
    const RunCosts again(resumed.moe(), run.config, run.data);
    CHECK(again.multiply_adds(resumed.tokens(), resumed.steps()) ==
          costs.multiply_adds(trainer.tokens(), 14));
}

TEST_CASE("run costs: two lines for people") {
    const SmallRun run(small_config());
    const SingleMoe moe(run.config.model, 1);
    const std::vector<std::string> lines = RunCosts(moe, run.config, run.data).summary();
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].find("a token in training: ") == 0);
    CHECK(lines[0].ends_with(" while it learns)"));
    CHECK(lines[1].find("a token in generation: ") == 0);
    CHECK(lines[1].find("of the model's 13,920 parameters active") != std::string::npos);
}

}  // namespace smoe
