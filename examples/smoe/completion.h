// What a shell proposes when somebody presses Tab: commands, options and the values of choices, all
// from the table of options that the parser has.
// Read next: program.cpp, which prints it.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace smoe {

// A script for bash or zsh, which takes it by way of its bash-completion layer. `app` has all
// commands.
std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace smoe
