// A study as a picture for a README: an SVG without a script, on any background.
// Read next: study_comparison.h, what is drawn.
#pragma once

#include <string>
#include <string_view>

#include "examples/smoe/study_runs.h"

namespace smoe {

// How every figure begins. A file with a different beginning is not one.
constexpr std::string_view figure_start = "<!-- a figure of smoe study -->\n<svg ";

// Each arm's held-out loss in `domain` after equal steps, the lowest first: a dot at the mean over
// seeds and a bar of one standard deviation on both sides of it. A line marks the arm that others
// are compared to, and each has its difference from it. Throws Error if there is nothing to draw.
std::string arms_figure(const Study& study, const std::string& domain);

// The same against the number that the setting `flag` of `smoe train` ("experts") has in an arm, or
// the one behind its colon ("overlap:64"). Arms with the same name apart from this number are one
// line; arms without one are left out. Throws Error for a flag that a plan cannot set, too.
std::string setting_figure(const Study& study, const std::string& domain, const std::string& flag);

}  // namespace smoe
