// Newer weights of a run that trains, taken over while its model is served. Each text is written with
// one set of weights from its beginning to its end.
// Read next: models/generation/scheduler.h, which says when that can be.
#include <chrono>

#include "core/check.h"
#include "examples/smoe/printing.h"
#include "examples/smoe/serve.h"

namespace smoe {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// Into the same tensors, since other threads look at the model's settings.
void read_again(ServedModel& model, const RunDirectory& run) {
    const int64_t step = run.weights_step();
    const std::unique_ptr<SingleMoe> newer = run.load(model.config);
    model.moe->model.load_state_dict(newer->model.state_dict(), run.path());
    model.moe->router->load_state_dict(newer->router->state_dict(), run.path());
    model.generator.reset();  // makes room for the next one
    model.generator = std::make_unique<Generator>(*model.moe, model.tokenizer.end_of_text(),
                                                  model.places, model.precision);
    say("{}: answers with the weights of step {} from now on", model.name, step);
}

}  // namespace

void follow_training(ServedModel& model, Scheduler::Model& worker) {
    struct Watch {
        RunDirectory run;
        Clock::time_point next_look = {};
        bool has_newer = false;
    };
    const auto watch = std::make_shared<Watch>(Watch{.run = RunDirectory(model.path)});
    worker.has_newer = [watch, &model] {
        if (Clock::now() >= watch->next_look) {
            watch->next_look = Clock::now() + 1s;
            watch->has_newer = weights_written(watch->run) != model.written;
        }
        return watch->has_newer;
    };
    worker.renew = [watch, &model] {
        watch->has_newer = false;
        model.written = weights_written(watch->run);
        try {
            read_again(model, watch->run);
        } catch (const Error& error) {
            say("{}: the older weights stay: {}", model.name, error.what());
        }
        std::fflush(stdout);
        return model.generator.get();
    };
}

}  // namespace smoe
