// Questions to the system and the environment, and the counting of characters. Nothing is
// remembered.
// Read next: tests/core/terminal_test.cpp.
#include "core/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace smoe {
namespace {

std::string_view variable(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? value : "";
}

int terminal_columns(int descriptor) {
    winsize size = {};
    if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    const std::string_view text = variable("COLUMNS");
    int columns = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), columns);
    const bool sound = error == std::errc() && end == text.data() + text.size();
    return sound && columns > 0 && columns < any_width ? columns : 80;
}

// Whether a character begins with this byte.
bool begins(char byte) {
    return (uint8_t(byte) & 0xC0) != 0x80;
}

// The bytes of the first `count` characters, or of all.
size_t bytes_of(std::string_view text, int64_t count) {
    size_t end = 0;
    for (; end < text.size(); ++end) {
        if (begins(text[end]) && --count < 0) {
            break;
        }
    }
    return end;
}

}  // namespace

bool is_terminal(int descriptor) {
    return ::isatty(descriptor) == 1;
}

bool obeys_escapes(int descriptor) {
    const std::string_view kind = variable("TERM");
    return is_terminal(descriptor) && !kind.empty() && kind != "dumb";
}

bool wants_colour(int descriptor, bool asked) {
    return variable("NO_COLOR").empty() &&
           (is_terminal(descriptor) ? obeys_escapes(descriptor) : asked);
}

int line_width(int descriptor) {
    return is_terminal(descriptor) ? std::max(1, terminal_columns(descriptor) - 1) : any_width;
}

int64_t columns_of(std::string_view text) {
    return std::count_if(text.begin(), text.end(), begins);
}

std::string shortened(std::string_view text, int width) {
    return columns_of(text) <= width ? std::string(text)
                                     : std::string(text.substr(0, bytes_of(text, width - 1))) + "…";
}

std::string wrapped(std::string_view text, int width, std::string_view indent) {
    text = text.substr(0, text.find_last_not_of(' ') + 1);
    std::string lines;
    int64_t room = std::max(1, width);
    while (columns_of(text) > room) {
        // Breaks at the last blank that leaves words on this line, or else in the middle of the
        // word.
        const size_t full = bytes_of(text, room);
        const size_t blank = text.rfind(' ', full);
        const bool between = blank != text.npos && text.find_first_not_of(' ') < blank;
        const std::string_view line = text.substr(0, between ? blank : full);
        lines += line.substr(0, line.find_last_not_of(' ') + 1);
        lines += '\n';
        lines += indent;
        text.remove_prefix(line.size());
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
        room = std::max<int64_t>(1, width - columns_of(indent));
    }
    return lines + std::string(text);
}

}  // namespace smoe
