// Runs that nobody named: runs/1, runs/2 and so on, in the current folder.
// Read next: train.cpp, the caller.
#pragma once

#include <string>

namespace smoe {

// One more than the largest number that anything in runs/ has as its name.
std::string next_numbered_run();

// That with the largest number. Throws UsageError if there is none.
std::string last_numbered_run();

}  // namespace smoe
