// What the arms of a study cost, before anything is trained.
// Read next: models/training/run_costs.h.
#pragma once

#include <string>
#include <vector>

#include "examples/smoe/study_runs.h"
#include "models/training/run_costs.h"

namespace smoe {

// Of each arm, for text whose sequences are as long as the context. It builds their models, one
// after the other.
std::vector<RunCosts> arm_costs(const Study& study);

// "dense: 1,234 parameters, 1,000 active; a token takes 12.3 k multiply-adds in training, ..."
std::string costs_line(const std::string& arm, const RunCosts& costs);

}  // namespace smoe
