// The text of --help, as wide as the terminal. The parser itself writes each description as one
// line, however long, which a terminal breaks in the middle of words.
// Read next: program.cpp, the caller; core/terminal.h, which wraps a line.
#pragma once

namespace CLI {
class App;
}

namespace smoe {

// Lets `app`, and the commands that are added to it from now on, write help in lines of at most
// `width` columns, as far as `width` has room for two words.
void set_help_width(CLI::App& app, int width);

// The width for what goes to `descriptor`: that of the terminal, or else 80.
int help_width(int descriptor);

}  // namespace smoe
