// What the options of several commands have in common: numbers that are read literally, and names
// of files and folders.
// Read next: train.cpp, corpus.cpp; command_line.h, which takes the words apart.
#pragma once

#include <charconv>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace smoe {

// For check() of an option: "" if `text` is a whole number of type T, else what is wrong. The
// parser itself would read -1 as 2^64 - 1, 2^64 as the number below it, and 010 as 8.
template <class T>
std::string whole_number(const std::string& text) {
    T number;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string digits = text.substr(text.starts_with("-") ? 1 : 0);
    const bool whole = error == std::errc() && end == text.data() + text.size() &&
                       (digits == "0" || !digits.starts_with("0"));
    return whole ? "" : "'" + text + "' is not a whole number that fits here";
}

// The same for a number of any kind. The parser itself would read "" as 0 and 0x10 as 16.
std::string any_number(const std::string& text);

// An option that is the name of a file or folder: any text but "". If `names` has no dash, it is a
// positional argument.
CLI::Option* add_path(CLI::App& app, const std::string& names, std::string& path,
                      const std::string& help);

// The same for one or more names, which may also be given one by one: --data A B, --data A --data
// B.
CLI::Option* add_paths(CLI::App& app, const std::string& names, std::vector<std::string>& paths,
                       const std::string& help);

// --long, for text that a trained model is shown: what happens to stories beyond its context. If it
// is not given, `treatment` stays "", and they are treated as in training.
CLI::Option* add_long_stories(CLI::App& app, std::string& treatment);

}  // namespace smoe
