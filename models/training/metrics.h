// The lines of metrics.jsonl: what happened since the last report, and what an evaluation found.
// Read next: training_loop.cpp, which says when they are due; run_directory.h, where they go.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/training/evaluation.h"
#include "models/training/run_costs.h"
#include "models/training/trainer.h"

namespace smoe {

// What has happened since the last report.
struct Window {
    double loss_sum = 0, grad_norm_sum = 0, seconds = 0, seconds_waited = 0, learning_rate = 0;
    int64_t tokens = 0, steps = 0, router_steps = 0;
    std::map<std::string, double> router_losses;  // sums over router_steps
    std::vector<int64_t> expert_tokens;

    void add(const StepReport& report, double step_seconds, double waited) {
        loss_sum += report.loss * double(report.tokens);  // batches differ in length
        grad_norm_sum += report.grad_norm;
        learning_rate = report.learning_rate;
        tokens += report.tokens;
        seconds += step_seconds;
        seconds_waited += waited;
        ++steps;
        for (const auto& [name, loss] : report.router_losses) {
            router_losses[name] += loss;
        }
        router_steps += report.router_losses.empty() ? 0 : 1;
        add_rows(expert_tokens, report.expert_tokens);
    }
    double loss() const { return loss_sum / double(tokens); }
    double grad_norm() const { return grad_norm_sum / double(steps); }
    double tokens_per_second() const { return double(tokens) / seconds; }
    double waiting() const { return seconds_waited / seconds; }
};

// One object of metrics.jsonl, without its line end. `seconds` are those of the whole run.
std::string metrics_line(const Window& window, const Trainer& trainer, const RunCosts& costs,
                         double seconds);
// Likewise, of an evaluation, with the shares that experts_changed gave.
std::string evaluation_line(int64_t step, const Evaluation& result,
                            const std::vector<double>& changed);

}  // namespace smoe
