// Rows of runs that have ended, and beside them what results.json says of arms and failures.
// Read next: study_rows.cpp.
#include "examples/smoe/study_results.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/text.h"
#include "models/training/run_directory.h"

namespace smoe {
namespace {

using Json = nlohmann::ordered_json;

Json arm_object(const Study& study, size_t arm, const ParameterCounts& parameters) {
    const StudyArm& of = study.plan().arms[arm];
    const std::optional<double> best = study.best_lr(arm);
    return {{"name", of.name},
            {"what", of.what},
            {"set", of.own},
            {"parameters",
             {{"model", std::llround(parameters.total)},
              {"active", std::llround(parameters.active)},
              {"router", std::llround(parameters.router)}}},
            {"lr", of.lr},
            {"best_lr", best ? Json(*best) : Json()},
            {"best_lr_at_end", study.best_lr_is_at_end(arm)}};
}

}  // namespace

std::vector<ResultRow> result_rows(const Study& study) {
    std::vector<ResultRow> rows;
    for (size_t run = 0; run < study.runs().size(); ++run) {
        const RunStatus& status = study.status(run);
        if (study.is_wanted(run) &&
            (status.state == RunState::finished || status.state == RunState::failed)) {
            for (ResultRow row : status.rows) {
                if (const auto pace = study.pace(study.runs()[run].arm); pace && row.tokens) {
                    row.seconds = *row.tokens / *pace;
                }
                rows.push_back(row);
            }
        }
    }
    return rows;
}

void write_results(const Study& study, const std::vector<RunCosts>& costs) {
    Json arms = Json::array(), failed = Json::array();
    std::vector<Json> objects;
    for (const ResultRow& row : result_rows(study)) {
        const StudyRun& run = study.runs()[row.run];
        objects.push_back(
            row_object(study.plan().arms[run.arm], run, row, study.status(row.run).text));
    }
    for (size_t arm = 0; arm < study.plan().arms.size(); ++arm) {
        arms.push_back(arm_object(study, arm, costs[arm].parameters));
    }
    for (size_t i = 0; i < study.runs().size(); ++i) {
        const StudyRun& run = study.runs()[i];
        if (study.is_wanted(i) && study.status(i).state == RunState::failed) {
            failed.push_back({{"arm", study.plan().arms[run.arm].name},
                              {"seed", run.seed},
                              {"lr", run.lr},
                              {"phase", phase_name(run.phase)},
                              {"message", study.status(i).message}});
        }
    }
    const Json all = {{"compare_to", study.plan().compare_to},
                      {"arms", arms},
                      {"failed", failed},
                      {"rows", objects}};
    write_file(study.folder() + "/results.csv", csv_text(objects));
    write_file(study.folder() + "/results.json",
               all.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace smoe
