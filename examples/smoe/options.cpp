// Options by way of CLI11, and what their values must be. The parser itself would read -1 as
// 2^64 - 1, 2^64 as the number below it, 010 as 8, and "" as 0.
// Read next: command_line.cpp.
#include "examples/smoe/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "core/text.h"
#include "examples/smoe/command_line.h"
#include "models/text/dataset.h"

namespace smoe {
namespace {

// Each of these gives "" if `text` is such a value, else what is wrong.
std::string file_name(const std::string& text) {
    return text.empty() ? "'' is no name of a file or folder" : "";
}

std::string any_name(const std::string& text) {
    return text.empty() ? "'' is no name" : "";
}

template <class T>
std::string whole_number(const std::string& text) {
    T number;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string digits = text.substr(text.starts_with("-") ? 1 : 0);
    const bool whole = error == std::errc() && end == text.data() + text.size() &&
                       (digits == "0" || !digits.starts_with("0"));
    return whole ? "" : "'" + text + "' is not a whole number that fits here";
}

std::string any_number(const std::string& text) {
    char* end = nullptr;
    std::strtod(text.c_str(), &end);
    const bool number =
        text.find_first_of(" \t\n\v\f\rxX") == text.npos && !text.empty() && *end == '\0';
    return number ? "" : "'" + text + "' is not a number";
}

CLI::Validator one_of(const std::vector<std::string>& names, bool numbered) {
    const std::string all = "{" + join(names, ",") + "}";
    const auto refusal = [names, numbered, all](const std::string& text) {
        const std::string name = numbered ? text.substr(0, text.find(':')) : text;
        return std::ranges::find(names, name) != names.end() ? "" : text + " not in " + all;
    };
    return {refusal, all};
}

CLI::Option* list(CLI::App& app, const std::string& names, std::vector<std::string>& values,
                  const std::string& help) {
    // CLI11's own vector of strings is not used, since "{}" may stand for none there.
    const auto store = [&values](const std::vector<std::string>& given) {
        values = given;
        return true;
    };
    CLI::Option* const option = app.add_option(names, store, help);
    return option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(option->get_positional());
}

template <class T>
CLI::Option* whole(CLI::App& app, const std::string& names, T& value, const std::string& help) {
    return app.add_option(names, value, help)->check(whole_number<T>)->capture_default_str();
}

}  // namespace

Option Option::required() const {
    return Option(option_->required());
}
Option Option::called(const std::string& type) const {
    return Option(option_->type_name(type));
}
Option Option::default_shown(const std::string& text) const {
    return Option(option_->default_str(text));
}
Option Option::group(const std::string& heading) const {
    return Option(option_->group(heading));
}
Option Option::needs(const Option& other) const {
    return Option(option_->needs(other.option_));
}
Option Option::excludes(const Option& other) const {
    return Option(option_->excludes(other.option_));
}
bool Option::given() const {
    return option_->count() > 0;
}

Option Arguments::flag(const std::string& names, bool& value, const std::string& help) const {
    return Option(app_->add_flag(names, value, help));
}

Option Arguments::text(const std::string& names, std::string& value,
                       const std::string& help) const {
    return Option(app_->add_option(names, value, help));
}

Option Arguments::name(const std::string& names, std::string& value,
                       const std::string& help) const {
    return Option(app_->add_option(names, value, help)->check(any_name)->type_name("NAME"));
}

Option Arguments::path(const std::string& names, std::string& value,
                       const std::string& help) const {
    return Option(app_->add_option(names, value, help)->check(file_name)->type_name("FILE"));
}

Option Arguments::paths(const std::string& names, std::vector<std::string>& values,
                        const std::string& help) const {
    return Option(list(*app_, names, values, help)->check(file_name)->type_name("FILE..."));
}

Option Arguments::texts(const std::string& names, std::vector<std::string>& values,
                        const std::string& help) const {
    return Option(list(*app_, names, values, help)->check(any_name)->type_name("TEXT..."));
}

Option Arguments::number(const std::string& names, int& value, const std::string& help) const {
    return Option(whole(*app_, names, value, help));
}
Option Arguments::number(const std::string& names, int64_t& value, const std::string& help) const {
    return Option(whole(*app_, names, value, help));
}
Option Arguments::number(const std::string& names, uint64_t& value, const std::string& help) const {
    return Option(whole(*app_, names, value, help));
}
Option Arguments::number(const std::string& names, double& value, const std::string& help) const {
    return Option(app_->add_option(names, value, help)->check(any_number)->capture_default_str());
}

Option Arguments::choice(const std::string& names,
                         const std::function<void(const std::string&)>& take,
                         const std::vector<std::string>& choices, const std::string& help,
                         bool numbered) const {
    return Option(app_->add_option_function<std::string>(names, take, help)
                      ->check(one_of(choices, numbered))
                      ->type_name("NAME"));
}

Option Arguments::choice(const std::string& names, std::string& value,
                         const std::vector<std::string>& choices, const std::string& help,
                         bool numbered) const {
    return choice(
               names, [&value](const std::string& text) { value = text; }, choices, help, numbered)
        .default_shown(value);
}

Option Arguments::long_stories(std::string& treatment) const {
    return choice("--long", treatment, names_of<LongStories>(),
                  "stories beyond the context [as in training]");
}

Option Arguments::find(const std::string& name) const {
    return Option(app_->get_option(name));
}

Arguments Arguments::command(const std::string& name, const std::string& help) const {
    CLI::App* const command = app_->add_subcommand(name, help);
    command->fallthrough();
    return Arguments(*command);
}

bool Arguments::parsed() const {
    return app_->parsed();
}

void parse_words(const std::function<std::function<void()>(Arguments)>& add,
                 const std::vector<std::string>& words) {
    CLI::App app;
    app.set_help_flag();
    const std::function<void()> then = add(Arguments(app));
    parse_command_line(app, words);
    then();
}

}  // namespace smoe
