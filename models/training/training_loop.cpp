// The loop around Trainer::step: what is due after it, in which order, and what to say when a step
// fails.
// Read next: examples/smoe/train.cpp.
#include "models/training/training_loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/check.h"
#include "core/file.h"
#include "core/format.h"
#include "core/processes.h"
#include "core/storage.h"
#include "core/text.h"
#include "models/generation/generator.h"
#include "models/training/evaluation.h"
#include "models/training/metrics.h"
#include "models/training/progress.h"
#include "models/training/run_costs.h"
#include "models/training/trainer.h"

namespace smoe {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// The state to go on from, if there is one. Throws Error unless it is of the size of this model.
std::optional<TensorFile> fitting_state(const RunDirectory& run, const Config& config) {
    std::optional<TensorFile> state;
    // Should the last run have been stopped on its way through a checkpoint. First, so that
    // messages name files as they are called from now on.
    first_alone([&] {
        if (run.has_state()) {
            run.finish_writing_state();
        }
    });
    together([&] {
        if (run.has_state()) {
            state = run.state();
            Trainer::require_fitting(config, *state);
        }
    });
    return state;
}

std::unique_ptr<FolderLock> lock_of_old_run(const RunDirectory& run) {
    std::unique_ptr<FolderLock> lock;
    first_alone([&] {
        if (run.has_state()) {
            lock = std::make_unique<FolderLock>(run.path());
        }
    });
    return lock;
}

class Loop {
  public:
    Loop(const RunDirectory& run, const Config& config, const Tokenizer& tokenizer,
         const Dataset& train, const Dataset* valid,
         const std::function<void(const SingleMoe&)>& when_built)
        : run_(run),
          config_(config),
          tokenizer_(tokenizer),
          valid_(valid),
          lock_(lock_of_old_run(run)),
          state_(fitting_state(run, config)),
          trainer_(config, train),
          costs_(trainer_.moe(), config, train) {
        if (!state_ && !config.init.empty()) {
            together([&] {
                const RunDirectory init(config.init);
                trainer_.start_from(*init.load(init.config()), init.file("model.safetensors"));
            });
        }
        first_alone([&] {
            if (when_built) {
                when_built(trainer_.moe());
            }
            if (lock_ == nullptr) {
                lock_ = std::make_unique<FolderLock>(run.path());
                check(!run.has_state(),
                      "another process has trained '{}' meanwhile: --resume goes on with it",
                      run.path());
            }
        });
        if (state_) {
            together([&] { trainer_.load_state_dict(*state_, state_->origin); });
            trainer_.require_finite_weights();
            checkpoint_step_ = trainer_.steps();
            write_weights();
            progress_.message(fmt::format("going on from step {}, as saved in {}", trainer_.steps(),
                                          state_->origin));
            state_.reset();
        } else if (!config.init.empty()) {  // from now on the run does without that folder
            const TensorFile state = trainer_.state_dict();
            first_alone([&] { run.write_state(state); });
            write_weights();
            progress_.message(fmt::format("starting from the weights of {}", config.init));
        }
        first_step_ = trainer_.steps();
        first_alone([&] {
            run.write_config(config);           // the settings that apply from now on
            run.cut_metrics(trainer_.steps());  // steps after the checkpoint are taken once more
            for (const nlohmann::ordered_json& report : run.metrics()) {
                if (report.contains("seconds") && report["seconds"].is_number()) {
                    seconds_before_ = report["seconds"].get<double>();
                }
            }
        });
        if (finished()) {
            progress_.message(fmt::format(
                "step {} is reached, so there is nothing to do{}", format_count(config.steps),
                config.optim.schedule == Schedule::constant ? ": --steps with more goes on" : ""));
        } else if (config.minutes > 0) {
            progress_.message(fmt::format("training for {:g} {}minute{}", config.minutes,
                                          first_step_ > 0 ? "more " : "",
                                          config.minutes == 1 ? "" : "s"));
        }
    }

    StopReason go(const std::function<bool()>& interrupted) {
        try {
            const StopReason reason = take_steps(interrupted);
            progress_.finish();
            return reason;
        } catch (...) {
            progress_.finish();  // so that the message begins a line of its own
            throw;
        }
    }

  private:
    StopReason take_steps(const std::function<bool()>& interrupted) {
        const auto due = [this](int64_t every) {
            return every > 0 && trainer_.steps() % every == 0;
        };
        if (finished()) {
            return StopReason::nothing_to_do;
        }
        // Interruption is checked only between steps, where everything is whole. The clock is read
        // once a step, so that the loop never ends without what is due after its last step.
        bool stopped = false;
        for (bool last = false; !last;) {
            step();
            const auto [done, asked_to_stop] = agree(finished(), interrupted());
            stopped = !done && asked_to_stop;
            last = stopped || done;
            if (due(config_.log_every) || last) {
                report();
            }
            // The losses of a step are taken before its update, so only now is it known what the
            // update did.
            if (due(config_.eval_every) || due(config_.sample_every) ||
                due(config_.checkpoint_every) || last) {
                guard([&] { trainer_.require_finite_weights(); });
            }
            if (due(config_.eval_every) || (last && !stopped)) {
                evaluate_now();
            }
            if (due(config_.sample_every) && !last && trainer_.moe().router->can_generate()) {
                sample_now();
            }
            if (due(config_.checkpoint_every) || last) {
                checkpoint();
            }
        }
        if (!stopped && config_.minutes > 0 && trainer_.steps() == first_step_ + 1) {
            progress_.message(fmt::format("{:g} minutes were over before the first step had ended",
                                          config_.minutes));
        }
        return stopped ? StopReason::interrupted : StopReason::finished;
    }

    // Whether the run is done and whether it shall stop, for all processes alike: by the clock of the
    // first, and if any of them was interrupted.
    static std::pair<bool, bool> agree(bool done, bool stop) {
        const std::vector<std::string> answers =
            all_gather(std::string(done ? "d" : "-") + (stop ? "s" : "-"));
        return {answers.front()[0] == 'd',
                std::any_of(answers.begin(), answers.end(),
                            [](const std::string& answer) { return answer[1] == 's'; })};
    }

    // Time alone never ends a run before its first step, or nothing would have been learned.
    bool finished() const {
        return config_.minutes > 0
                   ? trainer_.steps() > first_step_ && seconds_since(start_) >= 60 * config_.minutes
                   : trainer_.steps() >= config_.steps;
    }

    // Calls body(), and adds to an Error where the last good weights are.
    template <class Body>
    void guard(const Body& body) {
        try {
            body();
        } catch (const Error& error) {
            fail("{}; {}", error.what(),
                 checkpoint_step_ > 0 ? fmt::format("the checkpoint of step {} is kept in '{}'",
                                                    checkpoint_step_, run_.path())
                                      : std::string("there is no checkpoint yet"));
        }
    }

    void step() {
        const Clock::time_point before = Clock::now();
        const double waited_before = seconds_waited();
        StepReport report;
        guard([&] { report = trainer_.step(); });
        window_.add(report, seconds_since(before), seconds_waited() - waited_before);
    }

    // Uses the pace of the steps since this program started, not of those before.
    double seconds_left() const {
        const double elapsed = seconds_since(start_);
        if (config_.minutes > 0) {
            return 60 * config_.minutes - elapsed;
        }
        const int64_t done = trainer_.steps() - first_step_;
        return elapsed / double(done) * double(config_.steps - trainer_.steps());
    }

    void report() {
        progress_.show({.step = trainer_.steps(),
                        .peak_bytes = memory_use().peak,
                        .loss = window_.loss(),
                        .seconds_left = std::max(0.0, seconds_left()),
                        .tokens_per_second = window_.tokens_per_second(),
                        .processes = process_count(),
                        .waiting = window_.waiting(),
                        .expert_tokens = window_.expert_tokens,
                        .router_learns = window_.router_steps > 0});
        append_metrics(
            metrics_line(window_, trainer_, costs_, seconds_before_ + seconds_since(start_)));
        window_ = {};
    }

    void append_metrics(const std::string& line) {
        guard([&] {
            first_alone([&] {
                lock_->require_in_place();
                run_.append_metrics(line);
            });
        });
    }

    // Evaluates once a step, even if it is due and the step is also the last.
    void evaluate_now() {
        if (valid_ == nullptr || evaluated_step_ == trainer_.steps()) {
            return;
        }
        evaluated_step_ = trainer_.steps();
        const Trainer::EvaluationMode mode(trainer_);
        Evaluation result;
        guard([&] {
            result = evaluate(trainer_.moe(), *valid_, config_.seed, config_.eval_tokens);
            if (!std::isfinite(result.total.loss())) {
                fail_together(
                    "step {}: the held-out loss is {}, so training stops here; a lower "
                    "--lr or a longer --warmup may help",
                    trainer_.steps(), result.total.loss());
            }
        });
        progress_.message(
            fmt::format("step {:>5}  held-out loss {:.4f} per token, {:.4f} bits per byte",
                        trainer_.steps(), result.total.loss(), result.total.bits_per_byte()));
        append_metrics(
            evaluation_line(trainer_.steps(), result, experts_changed(evaluated_, result)));
        evaluated_ = std::move(result);
    }

    void sample_now() {
        const Trainer::EvaluationMode mode(trainer_);
        constexpr int64_t max_tokens = 60;
        std::vector<int32_t> ids, experts;
        first_alone([&] {
            // The seed differs each time, so the samples differ; every run uses the same seeds.
            Generator generator(trainer_.moe(), tokenizer_.end_of_text(), 1);
            generator.run({}, Sampling{}, config_.seed + uint64_t(trainer_.steps()), max_tokens,
                          [&](const Generator::Token& token) {
                              ids.push_back(token.id);
                              experts.push_back(token.expert);
                          });
        });
        const std::string margin = "    | ", text = tokenizer_.decode(ids);
        progress_.message(margin + with_margin(text, margin), margin);
        guard([&] {
            first_alone([&] {
                lock_->require_in_place();
                run_.append_sample(trainer_.steps(), text, ids, experts);
            });
        });
    }

    void checkpoint() {
        if (checkpoint_step_ == trainer_.steps()) {
            return;
        }
        // The state comes first: it alone decides where a resumed run continues.
        guard([&] {
            const TensorFile state = trainer_.state_dict();
            first_alone([&] {
                lock_->require_in_place();
                run_.write_state(state);
            });
        });
        checkpoint_step_ = trainer_.steps();
        guard([&] { write_weights(); });
    }

    void write_weights() const {
        const auto model = trainer_.model_weights(), router = trainer_.router_weights();
        first_alone([&] {
            run_.write_model(model, trainer_.steps());
            if (!router.empty()) {
                run_.write_router(router, trainer_.steps());
            }
        });
    }

    // The lines of `text`, each after the first behind `margin`.
    static std::string with_margin(const std::string& text, const std::string& margin) {
        std::string lines;
        for (const char c : without_controls(text, "\n" + std::string(joiners))) {
            lines += c;
            lines += c == '\n' ? margin : "";
        }
        return lines;
    }

    const RunDirectory& run_;
    const Config& config_;
    const Tokenizer& tokenizer_;
    const Dataset* valid_;
    // Of the first process: two runs in one folder would mix their checkpoints.
    std::unique_ptr<FolderLock> lock_;
    std::optional<TensorFile> state_;  // read before the trainer takes its memory; gone when loaded
    Trainer trainer_;
    const RunCosts costs_;
    ProgressLine progress_;
    Window window_;
    Clock::time_point start_ = Clock::now();
    double seconds_before_ = 0;  // of the run, up to its last report when it was resumed
    int64_t first_step_ = 0, checkpoint_step_ = 0, evaluated_step_ = 0;
    Evaluation evaluated_;  // the last one
};

}  // namespace

StopReason run_training(const RunDirectory& run, const Config& config, const Tokenizer& tokenizer,
                        const Dataset& train, const Dataset* valid,
                        const std::function<bool()>& interrupted,
                        const std::function<void(const SingleMoe&)>& when_built) {
    return Loop(run, config, tokenizer, train, valid, when_built).go(interrupted);
}

std::string loss_curve(const RunDirectory& run, int width, int height) {
    std::vector<std::pair<double, double>> points;
    for (const nlohmann::ordered_json& report : run.metrics()) {
        if (report.contains("loss") && report["loss"].is_number()) {
            points.emplace_back(report["step"].get<double>(), report["loss"].get<double>());
        }
    }
    return text_plot(points, width, height);
}

}  // namespace smoe
