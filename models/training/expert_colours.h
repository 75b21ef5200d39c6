// The colours by which people tell experts apart, on a terminal and on the page of a report. Up to
// expert 31 they are the same in both. An expert has the same colour however many experts there
// are.
// Read next: examples/smoe/generate.cpp, which colours tokens by them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace smoe {

// How many colours can be told apart on a terminal.
constexpr int64_t terminal_colours = 32;

// `text` in the colour of expert number `expert` (no_expert: as it is), for terminals of 256 colours.
// After terminal_colours they repeat, underlined, bold, reversed and in all combinations of the
// three, so that 256 experts look different.
std::string in_expert_colour(const std::string& text, int64_t expert);

// "#rrggbb" for each of the first `count` experts. The first 255 all differ; after these they
// repeat.
std::vector<std::string> expert_colours(int64_t count);

}  // namespace smoe
