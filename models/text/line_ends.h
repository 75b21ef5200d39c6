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

// How many lines end in `text`.
inline int64_t count_line_ends(std::string_view text) {
    int64_t count = std::count(text.begin(), text.end(), '\n');
    for (size_t at = text.find('\r'); at != text.npos; at = text.find('\r', at + 1)) {
        count += !text.substr(at + 1).starts_with('\n');
    }
    return count;
}

// The number, from 1, of the line with the byte at `position`.
inline int64_t line_at(std::string_view text, size_t position) {
    // A line end of two bytes ends behind its second.
    const bool inside = position > 0 && text.substr(position - 1).starts_with("\r\n");
    return 1 + count_line_ends(text.substr(0, position)) - inside;
}

// The length of the longest beginning of `text` that is made of whole lines, as far as can be told
// when more may follow: a CR at the very end may be half of a line end.
inline size_t whole_lines(std::string_view text) {
    const size_t last = text.size() < 2 ? text.npos : text.find_last_of("\r\n", text.size() - 2);
    const bool is_last = text.ends_with('\n');
    return is_last ? text.size() : last == text.npos ? 0 : last + 1;
}

}  // namespace smoe
