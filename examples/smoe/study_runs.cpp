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
#include "models/training/run_directory.h"

namespace smoe {
namespace {

std::string failure_file(const StudyRun& run) {
    return run.path + ".failed.txt";
}

bool is_number(const nlohmann::ordered_json& object, const char* key) {
    return object.contains(key) && object[key].is_number();
}

RunStatus status_on_disk(const StudyRun& run) {
    const RunDirectory directory(run.path);
    RunStatus status;
    if (file_exists(directory.file("config.json"))) {
        status.state = RunState::begun;
        bool evaluated = false;
        for (const auto& report : directory.metrics(run.config.steps)) {
            if (is_number(report, "seconds")) {
                status.step = report["step"].get<int64_t>();
                status.seconds = report["seconds"].get<double>();
            }
            if (is_number(report, "valid_bits_per_byte") &&
                report["step"].get<int64_t>() == run.config.steps) {
                status.bits_per_byte = report["valid_bits_per_byte"].get<double>();
                evaluated = true;
            }
        }
        // Weights are written after the state, so all that a run leaves is there.
        if (evaluated && file_exists(directory.file("model.safetensors")) &&
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

std::vector<std::string> file_names(const std::vector<std::string>& paths) {
    std::vector<std::string> names;
    for (const std::string& path : paths) {
        names.push_back(file_name(path));
    }
    return names;
}

// Settings that a run keeps as names and values. Those that follow from the tokenizer are left out,
// as are paths, which depend on where the study was started.
std::vector<std::pair<std::string, std::string>> fixed_values(Config config) {
    config.data = file_names(config.data);
    config.valid = file_names(config.valid);
    std::vector<std::pair<std::string, std::string>> values;
    visit_settings(config, [&](const Setting& setting, const auto& field) {
        const std::string name = setting.name();
        const bool text = name == "data.data" || name == "data.valid";
        const bool follows = name == "model.vocab_size" || name == "data.tokenizer" ||
                             name == "data.entries" || name == "data.pre_tokenizer" ||
                             name.ends_with("_hash");
        if (text || (!setting.free && !follows)) {
            values.emplace_back(setting.key, setting_text(field));
        }
    });
    return values;
}

}  // namespace

Study::Study(const std::string& plan_path, std::string folder)
    : plan_(read_plan(plan_path)),
      folder_(std::move(folder)),
      runs_(planned_runs(plan_, folder_)),
      status_(runs_.size()) {
    for (size_t run = 0; run < runs_.size(); ++run) {
        look_at(run);
    }
    require_one_experiment();
}

void Study::require_one_experiment() const {
    std::string first, tokenizer, text;
    for (size_t i = 0; i < runs_.size(); ++i) {
        if (status_[i].state == RunState::untouched ||
            !file_exists(runs_[i].path + "/config.json")) {
            continue;
        }
        const Config stored = RunDirectory(runs_[i].path).config();
        const auto is = fixed_values(stored), wanted = fixed_values(runs_[i].config);
        for (size_t k = 0; k < is.size(); ++k) {
            check(
                is[k] == wanted[k],
                "'{}' was begun with {} '{}' and the plan says '{}': give the arm another name, or "
                "choose another folder",
                runs_[i].path, is[k].first, is[k].second, wanted[k].second);
        }
        if (first.empty()) {
            first = runs_[i].path;
            tokenizer = stored.tokenizer_hash;
            text = stored.valid_hash;
        }
        check(stored.tokenizer_hash == tokenizer && stored.valid_hash == text,
              "'{}' and '{}' cannot be compared: they have different {}", first, runs_[i].path,
              stored.tokenizer_hash == tokenizer ? "held-out texts" : "tokenizers");
    }
}

void Study::look_at(size_t run) {
    status_[run] = status_on_disk(runs_[run]);
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
