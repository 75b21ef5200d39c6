// The arms of a study side by side.
// Read next: study_comparison.h, what is compared.
#pragma once

#include <string>

#include "examples/smoe/study_comparison.h"

namespace smoe {

// As a table in Markdown, aligned, with a line above it that says what is compared: the runs in
// full at each arm's best learning rate, in one domain.
std::string table_text(const Study& study, const std::string& domain = "all");

// "1.2345 ± 0.0012", without the deviation if there is none; "-" of nothing.
std::string mean_text(const Summary& summary);
// "0.0123", or "< 0.0001"; "-" if it is not known.
std::string p_text(double p);

}  // namespace smoe
