// Lines for people. A terminal gets them wrapped to its width, and names from files cannot control
// it. A pipe gets every line whole and, on standard output, every byte as it is.
// Read next: tables.h.
#pragma once

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>

#include "core/check.h"
#include "core/terminal.h"
#include "core/text.h"
#include "examples/smoe/shell.h"

namespace smoe {

// `text` as standard output may show it, on one line.
inline std::string shown(const std::string& text) {
    return is_terminal(STDOUT_FILENO) ? to_one_line(text) : text;
}

// Prints one line; its end is added.
template <class... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
    const std::string line = shown(fmt::format(format, std::forward<Args>(args)...));
    fmt::print("{}\n", wrapped(line, line_width(STDOUT_FILENO)));
}

// Says what could be typed next, on a terminal only: programs that read the output are not asked.
inline void suggest(const std::string& what, const std::string& arguments) {
    if (is_terminal(STDOUT_FILENO)) {
        say("{}", what);
        fmt::print("    {}\n", own_command(arguments));
    }
}

// From now on standard output goes nowhere.
inline void be_quiet() {
    check(std::freopen("/dev/null", "w", stdout) != nullptr, "cannot open '/dev/null'");
}

// Prints one line on standard error, "smoe: " and `text`, whatever the names that it quotes.
inline void complain(const std::string& text) {
    const std::string line = wrapped(to_one_line("smoe: " + text), line_width(STDERR_FILENO));
    std::fprintf(stderr, "%s\n", line.c_str());  // fmt would throw where nobody listens
}

}  // namespace smoe
