// What the runs of a study measured, as rows: one for each run, evaluation and domain. They come
// from a run's folder, or from a results.csv, so that a study goes on, and its table can be drawn,
// where the folders are not.
// Read next: study_runs.h, what the rows say of a run.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "examples/smoe/study_plan.h"

namespace smoe {

struct ResultRow {
    size_t run = 0;  // in study.runs()
    int64_t step = 0;
    std::optional<double> tokens, multiply_adds, seconds;  // in training until then, if reported
    std::string domain;                                    // "all", or one of the text's
    std::optional<double> loss;                            // held out, in nats per token
    std::optional<double> bits_per_byte;                   // likewise
};

// The rows of a run's reports, which are the objects of its metrics.jsonl.
std::vector<ResultRow> rows_of(size_t run, const std::vector<nlohmann::ordered_json>& reports);

// Settings that a run keeps, as names and values, beside those that follow from the tokenizer.
// Texts are named by file and folder, since where they lie depends on the machine.
std::vector<std::pair<std::string, std::string>> fixed_values(const Config& config);
// 16 hex digits for all of them that are not the default, and for the number of steps. A setting
// that is new therefore changes no fingerprint of a run that does not use it.
std::string settings_fingerprint(const Config& config);

struct RecordedRun {
    std::string text;  // of the held-out text: Config::valid_hash
    std::vector<ResultRow> rows;
};
// Runs by fingerprint.
using RecordedRuns = std::map<std::string, RecordedRun>;

// A row by the names of the columns of results.csv; null where nothing was reported. `text` is the
// hash of the held-out text.
nlohmann::ordered_json row_object(const StudyArm& arm, const StudyRun& run, const ResultRow& row,
                                  const std::string& text);
// Lines of results.csv: the names of the columns, and one for each object of row_object.
std::string csv_text(const std::vector<nlohmann::ordered_json>& objects);
// Adds the runs of a results.csv that are not there yet. Throws Error, naming the line, for a file
// that is none and for cells that do not fit.
void read_recorded_runs(const std::string& path, RecordedRuns& runs);

}  // namespace smoe
