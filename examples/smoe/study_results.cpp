// Rows from metrics.jsonl, and rows into files.
// Read next: models/training/training_loop.cpp, which writes metrics.jsonl.
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

std::optional<double> number(const Json& object, const char* key) {
    return object.contains(key) && object[key].is_number()
               ? std::optional(object[key].get<double>())
               : std::nullopt;
}

void add_rows(const Study& study, size_t run, std::vector<ResultRow>& rows) {
    const StudyRun& of = study.runs()[run];
    ResultRow training;  // the last report
    for (const Json& report : RunDirectory(of.path).metrics(of.config.steps)) {
        const auto step = report["step"].get<int64_t>();
        if (report.contains("loss")) {
            training = {run,
                        step,
                        number(report, "tokens"),
                        number(report, "multiply_adds"),
                        number(report, "seconds"),
                        "",
                        {},
                        {}};
        }
        if (!report.contains("valid_loss")) {
            continue;
        }
        ResultRow row = training.step == step ? training : ResultRow{};
        row.run = run;
        row.step = step;
        row.domain = "all";
        row.loss = number(report, "valid_loss");
        row.bits_per_byte = number(report, "valid_bits_per_byte");
        rows.push_back(row);
        if (!report.contains("valid_domains") || !report["valid_domains"].is_object()) {
            continue;
        }
        for (const auto& [domain, losses] : report["valid_domains"].items()) {
            if (losses.is_object()) {
                row.domain = domain;
                row.loss = number(losses, "loss");
                row.bits_per_byte = number(losses, "bits_per_byte");
                rows.push_back(row);
            }
        }
    }
}

std::string csv_cell(const std::string& text) {
    if (text.find_first_of(",\"\n\r") == text.npos) {
        return text;
    }
    std::string quoted = "\"";
    for (const char c : text) {
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    }
    return quoted + "\"";
}

// A row by the names of its columns; null where nothing was reported.
Json row_object(const Study& study, const ResultRow& row) {
    const StudyRun& run = study.runs()[row.run];
    const auto cell = [](const std::optional<double>& value) {
        const bool whole = value && std::abs(*value) < 9e15 && *value == std::floor(*value);
        return !value ? Json() : whole ? Json(int64_t(*value)) : Json(*value);
    };
    return {{"arm", study.plan().arms[run.arm].name},
            {"seed", run.seed},
            {"lr", run.lr},
            {"phase", phase_name(run.phase)},
            {"step", row.step},
            {"tokens", cell(row.tokens)},
            {"multiply_adds", cell(row.multiply_adds)},
            {"seconds", cell(row.seconds)},
            {"domain", row.domain},
            {"loss", cell(row.loss)},
            {"bits_per_byte", cell(row.bits_per_byte)}};
}

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
        const RunState state = study.status(run).state;
        if (study.is_wanted(run) && (state == RunState::finished || state == RunState::failed)) {
            add_rows(study, run, rows);
        }
    }
    return rows;
}

void write_results(const Study& study, const std::vector<RunCosts>& costs) {
    Json objects = Json::array(), arms = Json::array(), failed = Json::array();
    std::string csv;
    const auto add_line = [&csv](const std::vector<std::string>& cells) {
        csv += join(cells, ",") + "\n";
    };
    add_line({"arm", "seed", "lr", "phase", "step", "tokens", "multiply_adds", "seconds", "domain",
              "loss", "bits_per_byte"});
    for (const ResultRow& row : result_rows(study)) {
        objects.push_back(row_object(study, row));
        std::vector<std::string> cells;
        for (const auto& [name, value] : objects.back().items()) {
            cells.push_back(value.is_null()     ? ""
                            : value.is_string() ? csv_cell(value.get<std::string>())
                                                : value.dump());
        }
        add_line(cells);
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
    write_file(study.folder() + "/results.csv", csv);
    write_file(study.folder() + "/results.json",
               all.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace smoe
