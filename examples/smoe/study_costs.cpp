// One model for each arm, as its first run in full would build it.
// Read next: study.cpp.
#include "examples/smoe/study_costs.h"

#include <algorithm>
#include <cmath>

#include "core/format.h"
#include "models/transformer/single_moe.h"

namespace smoe {

std::vector<RunCosts> arm_costs(const Study& study) {
    const int64_t vocabulary = planned_vocabulary(study.plan(), study.folder());
    std::vector<RunCosts> costs;
    for (size_t arm = 0; arm < study.plan().arms.size(); ++arm) {
        const auto run = std::ranges::find_if(study.runs(), [arm](const StudyRun& one) {
            return one.arm == arm && one.phase == StudyPhase::full;
        });
        Config config = run->config;
        config.model.vocab_size = vocabulary;
        costs.emplace_back(SingleMoe(config.model, config.seed), config);
    }
    return costs;
}

std::string costs_line(const std::string& arm, const RunCosts& costs) {
    const auto count = [](double value) { return format_count(std::llround(value)); };
    const ParameterCounts& parameters = costs.parameters;
    return fmt::format(
        "{}: {} parameters, {} active{}; a token takes {} multiply-adds in training, {} in "
        "generation",
        arm, count(parameters.total), count(parameters.active),
        parameters.router > 0 ? fmt::format(", {} in the router", count(parameters.router)) : "",
        format_large(costs.training.total()), format_large(costs.generation.total()));
}

}  // namespace smoe
