// Study: a run is finished if its metrics hold an evaluation at its last step, and its weights have
// learned from as many. Everything is read from the disk, so a study can be killed at any instant.
// Read next: study_workers.cpp.
#include "examples/smoe/study_runs.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "examples/smoe/study_pace.h"
#include "models/training/run_directory.h"

namespace smoe {
namespace {

std::string failure_file(const StudyRun& run) {
    return run.path + ".failed.txt";
}

// Takes the loss at the end from the run's rows; false if it was not evaluated there.
bool find_end(const StudyRun& run, RunStatus& status) {
    for (const ResultRow& row : status.rows) {
        if (row.step == run.config.steps && row.domain == "all" && row.bits_per_byte) {
            status.bits_per_byte = *row.bits_per_byte;
            return true;
        }
    }
    return false;
}

RunStatus status_on_disk(const StudyRun& run, size_t index) {
    const RunDirectory directory(run.path);
    RunStatus status;
    if (file_exists(directory.file("config.json"))) {
        status.state = RunState::begun;
        status.text = directory.config().valid_hash;
        const auto reports = directory.metrics(run.config.steps);
        status.rows = rows_of(index, reports);
        for (const auto& report : reports) {
            if (report.contains("seconds") && report["seconds"].is_number()) {
                status.step = report["step"].get<int64_t>();
                status.seconds = report["seconds"].get<double>();
            }
        }
        // Weights are written after the state, so all that a run leaves is there.
        if (find_end(run, status) && file_exists(directory.file("model.safetensors")) &&
            directory.weights_step() >= run.config.steps) {
            status.state = RunState::finished;
            return status;
        }
    }
    if (file_exists(failure_file(run))) {
        status.state = RunState::failed;
        status.message = read_file(failure_file(run));
    }
    return status;
}

// Of a run whose rows were recorded elsewhere; untouched if they do not reach its end.
RunStatus status_in(const RecordedRuns& recorded, const StudyRun& run, size_t index) {
    const auto at = recorded.find(run.settings);
    RunStatus status;
    if (at == recorded.end()) {
        return status;
    }
    status.text = at->second.text;
    status.rows = at->second.rows;
    for (ResultRow& row : status.rows) {
        row.run = index;
    }
    if (!find_end(run, status)) {
        return {};
    }
    status.state = RunState::finished;
    status.step = run.config.steps;
    status.seconds = status.rows.back().seconds.value_or(0);
    return status;
}

}  // namespace

Study::Study(const std::string& plan_path, std::string folder,
             const std::vector<std::string>& row_files)
    : plan_(read_plan(plan_path)),
      folder_(std::move(folder)),
      runs_(planned_runs(plan_, folder_)),
      status_(runs_.size()) {
    for (const std::string& path : row_files) {
        read_recorded_runs(path, recorded_);
    }
    for (size_t run = 0; run < runs_.size(); ++run) {
        look_at(run);
    }
    require_one_experiment();
    pace_ = read_pace(plan_, runs_, folder_);
}

void Study::require_one_experiment() const {
    std::string first, tokenizer, text;
    for (size_t i = 0; i < runs_.size(); ++i) {
        if (status_[i].text.empty()) {
            continue;
        }
        if (text.empty()) {
            first = runs_[i].name;
            text = status_[i].text;
        }
        check(status_[i].text == text,
              "{} and {} cannot be compared: they have different held-out texts or tokenizers",
              first, runs_[i].name);
        if (!file_exists(runs_[i].path + "/config.json")) {
            continue;
        }
        const auto is = fixed_values(RunDirectory(runs_[i].path).config()),
                   wanted = fixed_values(runs_[i].config);
        for (size_t k = 0; k < is.size(); ++k) {
            check(
                is[k] == wanted[k],
                "'{}' was begun with {} '{}' and the plan says '{}': give the arm another name, or "
                "choose another folder",
                runs_[i].path, is[k].first.substr(is[k].first.find('.') + 1), is[k].second,
                wanted[k].second);
        }
    }
}

void Study::look_at(size_t run) {
    status_[run] = status_on_disk(runs_[run], run);
    if (status_[run].state == RunState::untouched) {
        status_[run] = status_in(recorded_, runs_[run], run);
    }
}

void Study::set_failed(size_t run, const std::string& message) {
    write_file(failure_file(runs_[run]), message);
    look_at(run);
}

void Study::forget_failures() {
    for (size_t run = 0; run < runs_.size(); ++run) {
        std::error_code none;
        std::filesystem::remove(failure_file(runs_[run]), none);
        look_at(run);
    }
}

bool Study::sweep_is_open(size_t arm) const {
    for (size_t i = 0; i < runs_.size(); ++i) {
        if (runs_[i].arm == arm && runs_[i].phase == StudyPhase::sweep &&
            status_[i].state != RunState::finished && status_[i].state != RunState::failed) {
            return true;
        }
    }
    return false;
}

std::optional<double> Study::best_lr(size_t arm) const {
    const StudyArm& of = plan_.arms[arm];
    if (of.lr.size() == 1) {
        return of.lr[0];
    }
    if (of.swept && sweep_is_open(arm)) {
        return std::nullopt;
    }
    const StudyPhase phase = of.swept ? StudyPhase::sweep : StudyPhase::full;
    const size_t seeds = of.swept ? plan_.sweep_seeds.size() : of.seeds.size();
    std::optional<double> best;
    double lowest = std::numeric_limits<double>::infinity();
    for (const double lr : of.lr) {
        double sum = 0;
        size_t count = 0;
        for (size_t i = 0; i < runs_.size(); ++i) {
            if (runs_[i].arm == arm && runs_[i].phase == phase && runs_[i].lr == lr &&
                status_[i].state == RunState::finished) {
                sum += status_[i].bits_per_byte;
                ++count;
            }
        }
        if (count == seeds && sum / double(count) < lowest) {
            lowest = sum / double(count);
            best = lr;
        }
    }
    return best;
}

bool Study::best_lr_is_at_end(size_t arm) const {
    const std::vector<double>& all = plan_.arms[arm].lr;
    const std::optional<double> best = best_lr(arm);
    return all.size() > 1 && best &&
           (*best == std::ranges::min(all) || *best == std::ranges::max(all));
}

bool Study::is_wanted(size_t run) const {
    const StudyRun& of = runs_[run];
    return of.phase == StudyPhase::sweep || !plan_.arms[of.arm].swept || best_lr(of.arm) == of.lr;
}

int64_t Study::wanted_count() const {
    int64_t count = 0;
    for (size_t run = 0; run < runs_.size(); ++run) {
        count += is_wanted(run);
    }
    for (size_t arm = 0; arm < plan_.arms.size(); ++arm) {
        count += sweep_is_open(arm) ? int64_t(plan_.arms[arm].seeds.size()) : 0;
    }
    return count;
}

int64_t Study::ended_count() const {
    int64_t count = 0;
    for (size_t run = 0; run < runs_.size(); ++run) {
        const RunState state = status_[run].state;
        count += is_wanted(run) && (state == RunState::finished || state == RunState::failed);
    }
    return count;
}

bool Study::is_complete() const {
    for (size_t arm = 0; arm < plan_.arms.size(); ++arm) {
        const std::optional<double> lr = best_lr(arm);
        for (size_t i = 0; i < runs_.size(); ++i) {
            if (runs_[i].arm == arm && runs_[i].phase == StudyPhase::full &&
                (!lr || (runs_[i].lr == *lr && status_[i].state != RunState::finished))) {
                return false;
            }
        }
    }
    return true;
}

std::optional<double> Study::pace(size_t arm) const {
    return pace_.empty() ? std::nullopt : std::optional(pace_[arm]);
}

std::optional<double> Study::seconds_per_step(std::optional<size_t> arm) const {
    double seconds = 0, steps = 0;
    for (size_t run = 0; run < runs_.size(); ++run) {
        if (!arm || runs_[run].arm == *arm) {
            seconds += status_[run].seconds;
            steps += double(status_[run].step);
        }
    }
    return steps > 0 ? std::optional(seconds / steps) : std::nullopt;
}

double Study::seconds_left(int jobs) const {
    double sum = 0;
    for (size_t arm = 0; arm < plan_.arms.size(); ++arm) {
        double steps = 0, full_steps = 0;
        for (size_t i = 0; i < runs_.size(); ++i) {
            const RunState state = status_[i].state;
            if (runs_[i].arm == arm) {
                full_steps = double(runs_[i].config.steps);  // those of the phase full come last
                if (is_wanted(i) && (state == RunState::untouched || state == RunState::begun)) {
                    steps += full_steps - double(status_[i].step);
                }
            }
        }
        steps += sweep_is_open(arm) ? full_steps * double(plan_.arms[arm].seeds.size()) : 0;
        const auto pace = seconds_per_step(arm) ? seconds_per_step(arm) : seconds_per_step({});
        sum += steps > 0 ? steps * pace.value_or(std::numeric_limits<double>::quiet_NaN()) : 0;
    }
    return sum / jobs;
}

}  // namespace smoe
