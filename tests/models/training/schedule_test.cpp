// Learning-rate schedules in a run: they end with it, so its length stays what it was, and a
// stopped run goes on with the same rate.
// Read next: tests/nn/optimizer_test.cpp, the rates themselves.
#include <doctest/doctest.h>

#include "tests/error_of.h"
#include "tests/models/small_run.h"

namespace smoe {
namespace {

Config scheduled(Schedule schedule) {
    Config config = small_config();
    config.optimizer = "adamw";
    config.optim.schedule = schedule;
    config.steps = 10;
    return config;
}

// The state after so many steps, as it would come back from disk.
TensorFile state_after(const SmallRun& run, int64_t steps, const TensorFile* from = nullptr) {
    Trainer trainer(run.config, run.data);
    if (from != nullptr) {
        trainer.load_state_dict(*from, "state");
    }
    while (trainer.steps() < steps) {
        trainer.step();
    }
    TensorFile state = trainer.state_dict();
    for (auto& [name, tensor] : state.tensors) {
        tensor = tensor.clone();
    }
    return state;
}

bool same_values(const TensorFile& a, const TensorFile& b) {
    const Tensor x = a.tensors.at("model.values"), y = b.tensors.at("model.values");
    return std::equal(x.values().begin(), x.values().end(), y.values().begin());
}

}  // namespace

TEST_CASE("schedule: a resumed run is the uninterrupted one, bit for bit") {
    for (const Schedule schedule : {Schedule::cosine, Schedule::linear}) {
        const SmallRun run(scheduled(schedule));
        const TensorFile whole = state_after(run, 10);
        for (const int64_t stop : {2, 4, 7}) {  // in the warm-up, at its end, after the freeze
            CAPTURE(stop);
            const TensorFile part = state_after(run, stop);
            CHECK(same_values(state_after(run, 10, &part), whole));
        }
        CHECK(!same_values(whole, state_after(SmallRun(scheduled(Schedule::constant)), 10)));
        // All is done where the rate is 0.
        CHECK(same_values(whole, state_after(run, 11)));
    }
}

TEST_CASE("schedule: the number of steps belongs to it") {
    const SmallRun run(scheduled(Schedule::linear));
    const TensorFile part = state_after(run, 4);
    Config longer = run.config;
    longer.steps = 11;
    Trainer trainer(longer, run.data);
    CHECK(error_of([&] {
              trainer.load_state_dict(part, "state");
          }).find("was made with training.steps \"10\", config.json says \"11\" now") !=
          std::string::npos);
    const SmallRun constant(scheduled(Schedule::constant));
    const TensorFile other = state_after(constant, 4);
    longer.optim.schedule = Schedule::constant;
    Trainer accepting(longer, run.data);
    accepting.load_state_dict(other, "state");
    CHECK(accepting.steps() == 4);
}

}  // namespace smoe
