// Tables of what a model did with a text, for lines of any width: columns that matter less fall
// away where they do not fit, and many experts are summed up. With any_width, as in a pipe, nothing
// is left out. Refuses to print or to measure.
// Read next: eval.cpp, generate.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/training/evaluation.h"

namespace smoe {

// A line for each domain and, where there are several, for all: tokens, bytes, losses.
std::string domain_table(const Evaluation& result, int width);

// The share that each expert takes of a domain's tokens, in per cent, a line for each domain. Where
// there are too many experts for `width`: the busiest, how many had nothing to do, and how many
// would have the same entropy if each had the same share.
std::string expert_table(const Evaluation& result, int width, bool colour);

// How many tokens each expert had; where that takes more than four lines, the busiest.
std::string expert_counts(const std::vector<int64_t>& tokens, int width, bool colour);

}  // namespace smoe
