// The rows of a whole study, and the files that hold them.
// Read next: study_comparison.h, which compares them.
#pragma once

#include <vector>

#include "examples/smoe/study_costs.h"
#include "examples/smoe/study_runs.h"

namespace smoe {

// The rows of all runs that have ended, in the order of the runs; those of a run that failed reach
// until then. Runs in full at a learning rate that the plan does not ask for are left out. Seconds
// follow from the arms' pace where that was measured, and are those of the run elsewhere.
std::vector<ResultRow> result_rows(const Study& study);

// Writes results.csv and results.json into the study's folder, replacing them as a whole. Both have
// the same rows; results.json has a description of each arm beside them, and why runs failed.
// `costs` are those of the arms.
void write_results(const Study& study, const std::vector<RunCosts>& costs);

}  // namespace smoe
