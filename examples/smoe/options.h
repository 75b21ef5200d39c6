// What the options of several commands have in common: numbers that are taken at their word, and
// names of files and folders.
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

// The same for a number of any kind. The parser itself would take "" for 0 and 0x10 for 16.
std::string any_number(const std::string& text);

// An option, or where `names` has no dash a positional argument, that is the name of a file or
// folder: any text but "".
CLI::Option* add_path(CLI::App& app, const std::string& names, std::string& path,
                      const std::string& help);

// The same for one or more names, which may also come one by one: --data A B, --data A --data B.
CLI::Option* add_paths(CLI::App& app, const std::string& names, std::vector<std::string>& paths,
                       const std::string& help);

// --long, for text that a trained model is shown: what becomes of stories beyond its context. Where
// it is not given, `treatment` stays "", and they are treated as in training.
CLI::Option* add_long_stories(CLI::App& app, std::string& treatment);

}  // namespace smoe
