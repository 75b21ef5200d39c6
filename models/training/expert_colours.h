// The colours by which a person tells experts apart: on a terminal, and on the page of a report. Up to
// expert 31 they are the same in both, and an expert has the same colour however many there are.
// Read next: examples/smoe/generate.cpp, which colours tokens by them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace smoe {

// Of these the terminal has as many as can be told apart.
constexpr int64_t terminal_colours = 32;

// `text` in the colour of expert number `expert` (-1: as it is), for terminals of 256 colours. After
// terminal_colours they repeat: underlined, bold, reversed, and in all combinations of the three, so
// that 256 experts look different.
std::string in_expert_colour(const std::string& text, int64_t expert);

// "#rrggbb" for each of the first `count` experts. All differ up to 255; beyond, they repeat.
std::vector<std::string> expert_colours(int64_t count);

}  // namespace smoe
