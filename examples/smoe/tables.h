// Tables of what a model did with a text, for lines of any width: columns that matter less are
// dropped if they do not fit, and many experts are summed up. Nothing is left out with any_width,
// as in a pipe.
// Read next: eval.cpp, generate.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/training/evaluation.h"

namespace smoe {

// A line for each domain and, if there are several, one for all: tokens, bytes, losses.
std::string domain_table(const Evaluation& result, int width);

// A line for each domain with the share of its tokens that each expert takes, in per cent. If there
// are too many experts for `width`, the line has the busiest one, how many had nothing to do, and how
// many would have the same entropy with equal shares.
std::string expert_table(const Evaluation& result, int width, bool colour);

// How many tokens each expert had; only the busiest if that takes more than four lines.
std::string expert_counts(const std::vector<int64_t>& tokens, int width, bool colour);

}  // namespace smoe
