// The page of a study, DIR/index.html: what its arms cost, which is ahead, and their curves.
// Read next: study_script.cpp, which draws it in the browser; report_page.h, its frame.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "examples/smoe/study_costs.h"

namespace smoe {

// What the page shows, of the runs that have ended; `costs` are those of the arms.
//     name, compare_to, ended, wanted
//     arms         name, what, lr, lr_at_end, seeds, parameters, active, router, and as means over
//                  the runs that are compared: multiply_adds (a token), seconds
//     domains      names; "all" is the first
//     spent        "steps", "multiply_adds", "seconds"
//     comparisons  for each domain and each of `spent`: text (what was spent), arms: loss,
//                  bits_per_byte (mean, deviation), difference (mean, low, high, p)
//     curves       for each domain and arm: a list of runs, each with steps, multiply_adds,
//                  seconds, loss and bits_per_byte of its evaluations
//     failed       run, message
// A number that is not known is null.
nlohmann::ordered_json study_data(const Study& study, const std::vector<RunCosts>& costs);

// Throws Error if the study's folder holds an index.html that is not the page of a study.
void require_replaceable_page(const Study& study);
// Writes DIR/index.html, replacing it as a whole.
void write_study_page(const Study& study, const std::vector<RunCosts>& costs);

}  // namespace smoe
