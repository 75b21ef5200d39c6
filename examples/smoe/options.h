// What the options of several commands have in common: whole numbers that are taken at their word,
// and outputs that replace only what this program wrote. Refuses to know any command.
// Read next: train.cpp, corpus.cpp.
#pragma once

#include <charconv>
#include <functional>
#include <string>

namespace smoe {

// For check() of an option: "" if `text` is a whole number of type T, else what is wrong. The
// parser itself would take -1 for 2^64 - 1, 2^64 for the number below it and 010 for 8.
template <class T>
std::string whole_number(const std::string& text) {
    T number;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string digits = text.substr(text.starts_with("-") ? 1 : 0);
    const bool whole = error == std::errc() && end == text.data() + text.size() &&
                       (digits == "0" || !digits.starts_with("0"));
    return whole ? "" : "'" + text + "' is not a whole number that fits here";
}

// Throws Error if `path` is a file whose bytes are not `is_own`: it is somebody's, or of another
// kind, and `what` (as "a page of smoe report") must not replace it.
void require_replaceable(const std::string& path, const std::string& what,
                         const std::function<bool(const std::string& bytes)>& is_own);

}  // namespace smoe
