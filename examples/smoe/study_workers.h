// The runs of a study as processes of their own, several at a time.
// Read next: study_runs.h, which says what is to do.
#pragma once

#include <functional>

#include "examples/smoe/study_runs.h"

namespace smoe {

// Trains every run that the plan asks for and that has neither finished nor failed, `jobs` at a
// time, each on one thread in a process of this same program. What they print goes to
// FOLDER/.../lr_LR_seed_S.log.txt. Calls when_ended(run) after each. Once interrupted() is true it
// tells all of them to save and waits for them; false is returned then, and also if runs were
// stopped by somebody else. If this process is killed, its runs save and end (on Linux).
bool train_runs(Study& study, int jobs, const std::function<void(size_t run)>& when_ended);

// Trains one run on one thread and waits for it. False if it was interrupted. Throws Error if it
// fails.
bool train_alone(const StudyRun& run);

}  // namespace smoe
