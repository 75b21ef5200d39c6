// Short runs, one after another, and the median of each arm's.
// Read next: study_workers.cpp, which starts them.
#include "examples/smoe/study_pace.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/file.h"
#include "core/text.h"
#include "examples/smoe/interruption.h"
#include "examples/smoe/printing.h"
#include "examples/smoe/study_workers.h"
#include "models/text/csv.h"
#include "models/training/run_directory.h"

namespace smoe {
namespace {

constexpr int64_t pace_steps = 60;
constexpr int rounds = 3;
const std::vector<std::string> columns = {"arm", "settings", "tokens_per_second"};

std::string pace_file(const std::string& folder) {
    return folder + "/pace.csv";
}

// The first of an arm's runs in full, by which it is known.
const StudyRun& run_of(const std::vector<StudyRun>& runs, size_t arm) {
    return *std::ranges::find_if(
        runs, [&](const StudyRun& run) { return run.arm == arm && run.phase == StudyPhase::full; });
}

// A short run with the same work for a token. A router that learns does so for the same share of it.
StudyRun short_run(const StudyRun& run, const std::string& path) {
    StudyRun shorter = run;
    shorter.path = path;
    for (const char* never : {"eval-every", "sample-every", "checkpoint-every"}) {
        shorter.flags[never] = {"0"};
    }
    const auto set = [&](const char* flag, int64_t value) {
        shorter.flags[flag] = {fmt::format("{}", value)};
    };
    const int64_t learns = std::min(run.config.model.router.steps, run.config.steps);
    set("eval-tokens", 1000);
    set("steps", pace_steps);
    set("log-every", pace_steps);
    set("router-steps", learns * pace_steps / run.config.steps);
    return shorter;
}

double tokens_per_second(const StudyRun& run) {
    double rate = 0;
    for (const auto& report : RunDirectory(run.path).metrics()) {
        if (report.contains("tokens") && report.contains("seconds")) {
            rate = report["tokens"].get<double>() / report["seconds"].get<double>();
        }
    }
    return rate;
}

}  // namespace

std::vector<double> read_pace(const StudyPlan& plan, const std::vector<StudyRun>& runs,
                              const std::string& folder) {
    const std::string path = pace_file(folder);
    std::vector<double> pace(plan.arms.size(), 0);
    if (!file_exists(path)) {
        return {};
    }
    const std::string bytes = read_file(path);
    CsvReader reader(bytes, ',', path);
    std::vector<std::string> cells;
    check(reader.next(cells) && cells == columns, "'{}' is no file of smoe study --pace", path);
    while (reader.next(cells)) {
        double rate = 0;
        const bool whole =
            cells.size() == columns.size() &&
            std::from_chars(cells[2].data(), cells[2].data() + cells[2].size(), rate).ptr ==
                cells[2].data() + cells[2].size();
        check(whole && rate > 0, "'{}' line {}: expected an arm, its settings and its speed", path,
              reader.line());
        for (size_t arm = 0; arm < pace.size(); ++arm) {
            if (plan.arms[arm].name == cells[0] && run_of(runs, arm).settings == cells[1]) {
                pace[arm] = rate;
            }
        }
    }
    return std::ranges::count(pace, 0) == 0 ? pace : std::vector<double>();
}

bool measure_pace(const StudyPlan& plan, const std::vector<StudyRun>& runs,
                  const std::string& folder) {
    std::vector<std::vector<double>> samples(plan.arms.size());
    for (int round = 0; round < rounds; ++round) {
        for (size_t arm = 0; arm < plan.arms.size(); ++arm) {
            const StudyRun run =
                short_run(run_of(runs, arm), folder + "/pace/" + plan.arms[arm].name);
            std::filesystem::remove_all(folder + "/pace");  // of a measurement that was killed
            const bool ended = train_alone(run);
            if (ended) {
                samples[arm].push_back(tokens_per_second(run));
                say("{}: {:.0f} tokens/s on one thread", plan.arms[arm].name, samples[arm].back());
            }
            std::filesystem::remove_all(folder + "/pace");
            if (!ended) {
                return false;
            }
        }
    }
    std::string csv = join(columns, ",") + "\n";
    for (size_t arm = 0; arm < samples.size(); ++arm) {
        std::ranges::sort(samples[arm]);
        csv += fmt::format("{},{},{:.1f}\n", plan.arms[arm].name, run_of(runs, arm).settings,
                           samples[arm][rounds / 2]);
    }
    write_file(pace_file(folder), csv);
    return true;
}

}  // namespace smoe
