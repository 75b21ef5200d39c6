// Words for people: lists, the name that somebody may have meant, and text that a terminal or a page
// can show.
// Read next: file.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace smoe {

// "a, b, c" for the separator ", ".
std::string join(const std::vector<std::string>& words, const std::string& separator);

// `text` as one cell of CSV, quoted if it has to be.
std::string csv_cell(const std::string& text);

// The candidate with the fewest edits (insert, delete, replace a letter) to `name`, the first of
// equals; "" if none is near. Near means at most two edits, or a third of the name.
std::string nearest_name(const std::string& name, const std::vector<std::string>& candidates);

// `text` with each byte that is not part of a UTF-8 character replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

// Joiners and variation selectors, invisible parts of emoji and of words in Persian and Hindi.
constexpr std::string_view joiners = "\u200C\u200D\uFE0E\uFE0F";

// What comes from a file must not steer the terminal, nor look like something else. Does what
// to_valid_utf8 does, puts a blank for each control character (including U+0080 to U+009F, which
// some terminals obey), and U+FFFD for every other invisible character: those that reverse the
// direction of the text (U+202E and its kin), blanks of no width, tags, Unicode's line separators.
// Characters in `kept` stay.
std::string without_controls(std::string_view text,
                             std::string_view kept = "\n\t\u200C\u200D\uFE0E\uFE0F");

// Keeps none of them: whatever a name holds, it stays on one line of a terminal.
inline std::string to_one_line(std::string_view text) {
    return without_controls(text, "");
}

// `text` as one line of HTML or XML that holds no markup and no character that XML forbids.
std::string escaped(const std::string& text);

}  // namespace smoe
