// Options that take a number, and options that take names.
// Read next: command_line.cpp.
#include "examples/smoe/options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "models/text/dataset.h"

namespace smoe {
namespace {

std::string file_name(const std::string& text) {
    return text.empty() ? "'' is no name of a file or folder" : "";
}

}  // namespace

std::string any_number(const std::string& text) {
    char* end = nullptr;
    std::strtod(text.c_str(), &end);
    const bool number =
        text.find_first_of(" \t\n\v\f\rxX") == text.npos && !text.empty() && *end == '\0';
    return number ? "" : "'" + text + "' is not a number";
}

CLI::Option* add_path(CLI::App& app, const std::string& names, std::string& path,
                      const std::string& help) {
    return app.add_option(names, path, help)->check(file_name)->type_name("FILE");
}

CLI::Option* add_paths(CLI::App& app, const std::string& names, std::vector<std::string>& paths,
                       const std::string& help) {
    // CLI11's own vector of strings is not used, since "{}" may stand for none there.
    const auto store = [&paths](const std::vector<std::string>& values) {
        paths = values;
        return true;
    };
    CLI::Option* const option = app.add_option(names, store, help);
    return option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(option->get_positional())
        ->check(file_name)
        ->type_name("FILE...");
}

CLI::Option* add_long_stories(CLI::App& app, std::string& treatment) {
    return app.add_option("--long", treatment, "stories beyond the context [as in training]")
        ->check(CLI::IsMember(names_of<LongStories>()))
        ->type_name("NAME");
}

}  // namespace smoe
