// Lines of files from any system: they end in LF, in CRLF, or in a lone CR as on old Macs.
// Read next: csv.cpp, json_lines.cpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace smoe {

// The length in bytes of the line end that `text` begins with; 0 if there is none.
inline size_t line_end_length(std::string_view text) {
    return text.starts_with("\r\n") ? 2 : text.starts_with('\n') || text.starts_with('\r') ? 1 : 0;
}

// The first line, without its end. Both are removed from `rest`.
inline std::string_view take_line(std::string_view& rest) {
    const auto end =
        std::find_if(rest.begin(), rest.end(), [](char c) { return c == '\n' || c == '\r'; });
    const std::string_view line = rest.substr(0, size_t(end - rest.begin()));
    rest.remove_prefix(line.size());
    rest.remove_prefix(line_end_length(rest));
    return line;
}

// The number, from 1, of the line with the byte at `position`.
inline int64_t line_at(std::string_view text, size_t position) {
    int64_t line = 1;
    for (size_t i = 0; i < position; ++i) {
        line += text[i] == '\n' || (text[i] == '\r' && !text.substr(i + 1).starts_with('\n'));
    }
    return line;
}

}  // namespace smoe
