// What a report shows of one run, as JSON: the curves of metrics.jsonl, and what the trained model
// does with a few stories. report_script.cpp draws it in the browser.
// Read next: report_run.cpp.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/training/config.h"
#include "models/training/run_directory.h"

namespace smoe {

// A page may be passed on: it names runs and files, never the folders that hold them.

// {"name", "facts": {name: text}, "settings": {"group.key": text}, "reports": {column: numbers},
// "valid": {column: numbers}}. The columns of reports have one entry for each report, or, if there
// are more than `max_points`, for the mean of several neighbours:
//     step, tokens, seconds (of training, without what lies between a stop and a resume), loss,
//     tokens_per_second, waiting (share of the time, of several processes), peak_bytes,
//     router_correctness, router_distribution;
//     expert_shares holds one such column for each expert.
// A value that a report lacks is null. Lines that are not JSON are left out.
nlohmann::ordered_json run_summary(const RunDirectory& run, const Config& config);
constexpr size_t max_points = 1000;

// [{"step", "tokens": [{"t": text, "e": expert}]}]: what the model wrote while it learned, as
// samples.jsonl has it, at most `max_samples` of them and evenly over the steps. What cannot be read
// is left out.
nlohmann::ordered_json run_samples(const RunDirectory& run, const Config& config);
constexpr size_t max_samples = 24;

// {"source", "parameters", "active_parameters", "domains", "experts", "stories", "overlap"}: what the
// model does with held-out text. The text is that of `data` if it names files, else the run's own. If
// that is no longer there, the model writes the text itself, and "source" says so.
//     domains  name, tokens, loss, bits_per_byte, expert_tokens (K), on `evaluated_tokens` tokens
//     experts  what they are, as in experts.h, on `analysed_tokens` tokens; null if there are none
//     stories  domain, tokens: [{"t": text, "p": probability that the model gave it, "top": [[text,
//              probability], ...] the likeliest, "e": expert, "r": [the router's probabilities]}]
//     overlap  (K, K) share of the neurons that two experts both keep, over all masks
// Throws Error if the run holds no model or a file of `data` cannot be read.
nlohmann::ordered_json model_summary(const RunDirectory& run, const Config& config,
                                     const std::vector<std::string>& data);
constexpr int64_t evaluated_tokens = 50000, analysed_tokens = 10000;
constexpr int64_t most_experts_one_by_one =
    4;  // two passes each: more would take minutes with `paper`

// [{"name", "runs": [places in `runs`, which are summaries]}]: the arms of a comparison. Runs
// belong to one arm if their settings are the same except for seeds, what follows from seeds
// (hashes, and files that have the seed in their names), and how often something is reported. An
// arm has the name of its runs, without the seed. If that does not tell the arms apart, it is named
// by the settings in which they differ.
nlohmann::ordered_json arms_of(const nlohmann::ordered_json& runs);

// Each name as it is, or with a number behind it if it has occurred before.
std::vector<std::string> told_apart(std::vector<std::string> names);

// `text` without the number `number`. Longer numbers that contain it stay: 1 is in "s1", but not in
// "s12" and not in "0.1".
std::string without_number(const std::string& text, const std::string& number);

// A number with no more digits than a page can show; null for one that is not finite.
inline nlohmann::ordered_json rounded(double value, int digits) {
    if (!std::isfinite(value)) {
        return nullptr;
    }
    const double scale = std::pow(10, digits);
    return std::round(value * scale) / scale;
}

}  // namespace smoe
