// What can be written to a terminal: whether there is one, how wide its lines are, whether it obeys
// escape sequences; and text cut or wrapped to fit. Everything is asked again each time, since
// windows change their size. Wide and combining characters are not treated specially: each counts
// as one column.
// Read next: models/training/progress.h, where a line is overwritten.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace smoe {

bool is_terminal(int descriptor);

// Whether `descriptor` is a terminal that obeys escape sequences: TERM is set and is not "dumb".
bool obeys_escapes(int descriptor);

// Whether to colour what goes to `descriptor`. Never if NO_COLOR is set and not empty
// (no-color.org), nor on a terminal that obeys no escapes; without a terminal, only if colour was
// asked for.
bool wants_colour(int descriptor, bool asked = false);

// The width of a file or a pipe, which is no terminal: wider than any line.
constexpr int any_width = 1 << 20;

// How many columns a line on `descriptor` may fill, at least 1: all but the last column of a
// terminal, because some terminals begin a new line once that is written. The width is what the
// terminal says, else what COLUMNS says, else 80.
int line_width(int descriptor);

// Characters in UTF-8 text.
int64_t columns_of(std::string_view text);

// `text` if it fits into `width` columns, else its beginning and "…".
std::string shortened(std::string_view text, int width);

// One line of text, broken at blanks into lines of at most `width` columns; each after the first
// begins with `indent`. Only words longer than a line are cut.
std::string wrapped(std::string_view text, int width, std::string_view indent = "    ");

}  // namespace smoe
