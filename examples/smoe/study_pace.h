// How fast the arms of a study are, measured by itself. The seconds that runs report depend on what
// else the machine did, and on which machine it was. Here each arm trains for a moment on one
// thread, alone, and all arms take turns.
// Read next: study_comparison.h, which compares arms after equal seconds.
#pragma once

#include <string>
#include <vector>

#include "examples/smoe/study_plan.h"

namespace smoe {

// Tokens a second of each arm, as FOLDER/pace.csv has them; empty unless it has all arms of the plan
// with the settings that they have now. Throws Error for a file that is none.
std::vector<double> read_pace(const StudyPlan& plan, const std::vector<StudyRun>& runs,
                              const std::string& folder);

// Measures all arms and writes that file. False if it was interrupted, which leaves no trace.
// Throws Error if an arm cannot be trained.
bool measure_pace(const StudyPlan& plan, const std::vector<StudyRun>& runs,
                  const std::string& folder);

}  // namespace smoe
