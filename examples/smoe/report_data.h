// What a report shows of one run, as JSON: the curves of metrics.jsonl, and what the trained model
// does with a few stories. Refuses to draw: report_script.cpp does, in the browser.
// Read next: report_run.cpp.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/training/config.h"
#include "models/training/run_directory.h"

namespace smoe {

// A page may be passed on: it names runs and files, never the folders that hold them.

// {"name", "facts": {name: text}, "settings": {"group.key": text}, "reports": {column: numbers},
// "valid": {column: numbers}}. The columns of reports have one entry for each report, or for the
// mean of several neighbours where there are more than `max_points`:
//     step, tokens, seconds (of training, without what lies between a stop and a resume), loss,
//     tokens_per_second, peak_bytes, router_correctness, router_distribution;
//     expert_shares holds one such column for each expert.
// A value that a report lacks is null. Lines that are no JSON are left out.
nlohmann::ordered_json run_summary(const RunDirectory& run, const Config& config);
constexpr size_t max_points = 1000;

// {"source", "parameters", "domains", "stories", "overlap"}: what the model does with held-out
// text, that of `data` if it names files, else the run's own; if that is not there any more, with
// text that the model writes itself, and "source" says so.
//     domains  name, tokens, loss, bits_per_byte, expert_tokens (K), on `evaluated_tokens` tokens
//     stories  domain, tokens: [{"t": text, "p": probability that the model gave it, "top": [[text,
//              probability], ...] the likeliest, "e": expert, "r": [the router's probabilities]}]
//     overlap  (K, K) share of the neurons that two experts both keep, over all masks
// Throws Error if the run holds no model or a file of `data` cannot be read.
nlohmann::ordered_json model_summary(const RunDirectory& run, const Config& config,
                                     const std::vector<std::string>& data);
constexpr int64_t evaluated_tokens = 50000;

// [{"name", "runs": [places in `runs`, which are summaries]}]: the arms of a comparison. Runs are of
// one arm if their settings are the same but for seeds, for what follows from these (hashes, and
// files that have the seed in their names), and for how often something is reported. An arm is
// called as its runs are, without the seed, or if that tells arms not apart, by the settings in
// which they differ.
nlohmann::ordered_json arms_of(const nlohmann::ordered_json& runs);

// Each name as it is, or if it has been before, with a number behind it.
std::vector<std::string> told_apart(std::vector<std::string> names);

// A number with no more digits than a page can show; null for one that is not finite.
nlohmann::ordered_json rounded(double value, int digits);

}  // namespace smoe
