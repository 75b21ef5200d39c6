// The data of the page. All statistics are computed here, so the page shows what the table prints.
// Read next: study_script.cpp.
#include "examples/smoe/study_page.h"

#include <cmath>

#include "core/file.h"
#include "core/text.h"
#include "examples/smoe/outputs.h"
#include "examples/smoe/report_data.h"
#include "examples/smoe/report_page.h"
#include "examples/smoe/study_comparison.h"
#include "models/training/expert_colours.h"

namespace smoe {
namespace {

using Json = nlohmann::ordered_json;
using OptionalNumber = std::optional<double>;

const PageKind study_kind = {"<!doctype html>\n<!-- a page of smoe study -->", {study_script}};

std::string page_file(const Study& study) {
    return study.folder() + "/index.html";
}

Json or_null(const OptionalNumber& value, int digits) {
    return value ? rounded(*value, digits) : Json();
}

// Over the runs of an arm, at their last evaluations.
Json mean_at_end(const ArmRows& runs, int digits, OptionalNumber (*value)(const ResultRow& row)) {
    std::vector<double> values;
    for (const auto& [seed, rows] : runs) {
        if (const OptionalNumber one = value(rows.back())) {
            values.push_back(*one);
        }
    }
    return rounded(summary_of(values).mean, digits);
}

Json arm_data(const Study& study, size_t arm, const RunCosts& costs, const ArmRows& runs) {
    const StudyArm& of = study.plan().arms[arm];
    const OptionalNumber lr = study.best_lr(arm);
    return {{"name", of.name},
            {"what", of.what},
            {"lr", lr ? Json(*lr) : Json()},
            {"lr_at_end", study.best_lr_is_at_end(arm)},
            {"seeds", runs.size()},
            {"parameters", std::llround(costs.parameters.total)},
            {"active", std::llround(costs.parameters.active)},
            {"router", std::llround(costs.parameters.router)},
            {"multiply_adds", mean_at_end(runs, 0,
                                          [](const ResultRow& row) {
                                              return row.multiply_adds && row.tokens
                                                         ? OptionalNumber(*row.multiply_adds /
                                                                          *row.tokens)
                                                         : std::nullopt;
                                          })},
            {"seconds", mean_at_end(runs, 2, [](const ResultRow& row) { return row.seconds; })}};
}

Json summary_data(const Summary& summary) {
    return {rounded(summary.mean, 5), rounded(summary.deviation, 5)};
}

Json comparison_data(const Study& study, const Comparison& comparison) {
    Json arms = Json::array();
    for (const ArmResult& arm : comparison.arms) {
        const PairedTest& test = arm.difference;
        const bool compared = study.plan().arms[arm.arm].name != study.plan().compare_to;
        arms.push_back({{"loss", summary_data(arm.loss)},
                        {"bits_per_byte", summary_data(arm.bits_per_byte)},
                        {"difference", compared ? Json{rounded(test.mean, 5), rounded(test.low, 5),
                                                       rounded(test.high, 5), rounded(test.p, 6)}
                                                : Json()}});
    }
    return {{"text", comparison.amount > 0 ? spent_text(comparison.amount, comparison.spent) : ""},
            {"arms", arms}};
}

Json curves_data(const std::vector<ArmRows>& arms) {
    Json all = Json::array();
    for (const ArmRows& runs : arms) {
        Json of_arm = Json::array();
        for (const auto& [seed, rows] : runs) {
            Json run = {{"steps", Json::array()},
                        {"multiply_adds", Json::array()},
                        {"seconds", Json::array()},
                        {"loss", Json::array()},
                        {"bits_per_byte", Json::array()}};
            for (const ResultRow& row : rows) {
                run["steps"].push_back(row.step);
                run["multiply_adds"].push_back(or_null(row.multiply_adds, 0));
                run["seconds"].push_back(or_null(row.seconds, 2));
                run["loss"].push_back(or_null(row.loss, 5));
                run["bits_per_byte"].push_back(or_null(row.bits_per_byte, 5));
            }
            of_arm.push_back(run);
        }
        all.push_back(of_arm);
    }
    return all;
}

}  // namespace

Json study_data(const Study& study, const std::vector<RunCosts>& costs) {
    const std::vector<ResultRow> rows = result_rows(study);
    const std::vector<std::string> domains = domains_of(rows);
    Json arms = Json::array(), comparisons = Json::array(), curves = Json::array(),
         failed = Json::array();
    for (const std::string& domain : domains) {
        const std::vector<ArmRows> of_arms = rows_by_arm(study, rows, domain);
        for (size_t arm = 0; domain == domains[0] && arm < of_arms.size(); ++arm) {
            arms.push_back(arm_data(study, arm, costs[arm], of_arms[arm]));
        }
        curves.push_back(curves_data(of_arms));
        comparisons.push_back(Json::array());
        for (const Spent spent : {Spent::steps, Spent::multiply_adds, Spent::seconds}) {
            comparisons.back().push_back(
                comparison_data(study, compare_arms(study, rows, spent, domain)));
        }
    }
    for (size_t run = 0; run < study.runs().size(); ++run) {
        if (study.is_wanted(run) && study.status(run).state == RunState::failed) {
            failed.push_back(
                {{"run", study.runs()[run].name}, {"message", study.status(run).message}});
        }
    }
    return {{"name", to_valid_utf8(file_name(study.plan().path))},
            {"compare_to", study.plan().compare_to},
            {"ended", study.ended_count()},
            {"wanted", study.wanted_count()},
            {"arms", arms},
            {"domains", domains},
            {"spent", {"steps", "multiply_adds", "seconds"}},
            {"comparisons", comparisons},
            {"curves", curves},
            {"failed", failed},
            {"colours", expert_colours(int64_t(arms.size()))}};
}

void require_replaceable_page(const Study& study) {
    require_replaceable(page_file(study), "a page of smoe study", [](const std::string& bytes) {
        return bytes.empty() || bytes.starts_with(study_kind.start);
    });
}

void write_study_page(const Study& study, const std::vector<RunCosts>& costs) {
    const Json data = study_data(study, costs);
    write_file(page_file(study), page(study_kind, data["name"], data));
}

}  // namespace smoe
