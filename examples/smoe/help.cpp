// CLI11 puts the help together and asks a formatter for each piece: here they are wrapped.
// Read next: options.h.
#include "examples/smoe/help.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/terminal.h"

namespace smoe {
namespace {

// `text` with a blank behind each comma of "{a,b,c}", where a line may then end.
std::string breakable(const std::string& text) {
    std::string spaced;
    for (const char c : text) {
        spaced += c == ',' ? std::string(", ") : std::string(1, c);
    }
    return spaced;
}

class HelpFormatter : public CLI::Formatter {
  public:
    explicit HelpFormatter(int width) : width_(width) {
        constexpr int wide = 60;
        column_width(width < wide ? 8 : 30);  // where descriptions begin
    }

    std::string make_help(const CLI::App* app, std::string name,
                          CLI::AppFormatMode mode) const override {
        // Within --help-all, what a command has is indented by two more blanks.
        const int indent = mode == CLI::AppFormatMode::Sub ? 2 : 0;
        return HelpFormatter(width_ - indent).CLI::Formatter::make_help(app, std::move(name), mode);
    }
    std::string make_option(const CLI::Option* option, bool is_positional) const override {
        return entry(make_option_name(option, is_positional) + make_option_opts(option),
                     make_option_desc(option));
    }
    std::string make_subcommand(const CLI::App* command) const override {
        return entry(command->get_display_name(true), command->get_description());
    }
    std::string make_description(const CLI::App* app) const override {
        return each_line_wrapped(CLI::Formatter::make_description(app));
    }
    std::string make_usage(const CLI::App* app, std::string name) const override {
        return each_line_wrapped(CLI::Formatter::make_usage(app, std::move(name)));
    }

  private:
    // "  name     what it is". A name that reaches into the second column has lines of its own.
    std::string entry(const std::string& name, const std::string& description) const {
        std::string head = "  " + name, lines;
        if (columns_of(head) > width_) {
            head = breakable(head);
        }
        if (description.empty() || columns_of(head) >= int64_t(get_column_width())) {
            lines = wrapped(head, width_, "      ") + "\n";
            head.clear();
        }
        if (description.empty()) {
            return lines;
        }
        const std::string margin(get_column_width(), ' ');
        head += margin.substr(size_t(columns_of(head)));
        return lines + wrapped(head + description, width_, margin) + "\n";
    }

    std::string each_line_wrapped(std::string_view text) const {
        std::string lines;
        while (!text.empty()) {
            const size_t end = std::min(text.find('\n'), text.size());
            lines += wrapped(text.substr(0, end), width_) + "\n";
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        return lines;
    }

    int width_;
};

}  // namespace

void set_help_width(CLI::App& app, int width) {
    app.formatter(std::make_shared<HelpFormatter>(width));
}

int help_width(int descriptor) {
    constexpr int usual = 80;
    return is_terminal(descriptor) ? line_width(descriptor) : usual;
}

}  // namespace smoe
