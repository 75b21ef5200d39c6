// parse_command_line: one walk over the words decides what each of them is. CLI11 then stores the
// values and checks what is required, what excludes what, and which values are allowed.
// Read next: main.cpp, the caller.
#include "examples/smoe/command_line.h"

#include <CLI/CLI.hpp>
#include <optional>

#include "core/check.h"
#include "core/text.h"

namespace smoe {
namespace {

// Stands in front of each value while CLI11 has it. No command, option or special value begins with
// it.
constexpr char disguise = '@';

bool is_option(const std::string& word) {
    return word.size() > 1 && word.starts_with("-");
}
bool is_flag(const CLI::Option& option) {
    return option.get_items_expected_max() == 0;
}
// Does it take several values? See add_paths in options.h.
bool is_list(const CLI::Option& option) {
    return option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
}

class Walk {
  public:
    Walk(CLI::App& app, const std::vector<std::string>& words) : words_(words), commands_{&app} {}

    // The words as CLI11 should see them.
    std::vector<std::string> disguised() {
        bool only_names = false;
        while (next_ < words_.size()) {
            const std::string& word = words_[next_++];
            if (only_names) {
                take_name(word);
            } else if (word == "--") {
                only_names = true;
            } else if (is_option(word)) {
                take_option(word);
            } else if (!enter_command(word)) {
                take_name(word);
            }
        }
        return disguised_;
    }

  private:
    void take_option(const std::string& word) {
        const bool is_long = word.starts_with("--");
        const std::string name = is_long ? word.substr(0, word.find('=')) : word.substr(0, 2);
        std::optional<std::string> value;
        if (name.size() < word.size()) {
            value = word.substr(name.size() + (is_long ? 1 : 0));
        }
        const CLI::Option* const option = find_option(name);
        if (option == nullptr) {
            refuse_option(is_long ? name : word);
        }
        if (is_flag(*option)) {
            take_flag(name, value);
            return;
        }
        if (!value && next_ == words_.size()) {
            throw UsageError(fmt::format("{} needs a value", name));
        }
        const std::string before_value = name + (is_long ? "=" : "") + disguise;
        disguised_.push_back(before_value + (value ? *value : words_[next_++]));
        while (is_list(*option) && list_goes_on()) {
            disguised_.push_back(before_value + words_[next_++]);
        }
    }

    void take_flag(const std::string& name, const std::optional<std::string>& value) {
        if (value && *value != "true" && *value != "false") {
            throw UsageError(
                fmt::format("{} takes no value but true or false, found '{}'", name, *value));
        }
        disguised_.push_back(value ? name + "=" + *value : name);
    }

    // A list leaves the last words alone if they are needed as names: `smoe eval --data FILE RUN`.
    bool list_goes_on() const {
        return next_ < words_.size() && !is_option(words_[next_]) &&
               int64_t(words_.size() - next_) > names_expected().first - names_;
    }

    bool enter_command(const std::string& word) {
        for (CLI::App* const command : commands_.back()->get_subcommands({})) {
            if (command->get_name() == word) {
                commands_.push_back(command);
                disguised_.push_back(word);
                return true;
            }
        }
        return false;
    }

    void take_name(const std::string& word) {
        if (++names_ > names_expected().second) {
            refuse_name(word);
        }
        disguised_.push_back(disguise + word);
    }

    // The smallest and the largest number of positional arguments of this command.
    std::pair<int64_t, int64_t> names_expected() const {
        std::pair<int64_t, int64_t> expected = {0, 0};
        for (const CLI::Option* const option : commands_.back()->get_options()) {
            if (option->get_positional()) {
                expected.first += option->get_required() ? 1 : 0;
                expected.second += is_list(*option) ? INT32_MAX : 1;
            }
        }
        return expected;
    }

    // An option of this command or of one that it belongs to; null if there is none.
    const CLI::Option* find_option(const std::string& name) const {
        for (auto command = commands_.rbegin(); command != commands_.rend(); ++command) {
            if (const CLI::Option* const option = (*command)->get_option_no_throw(name)) {
                return option;
            }
        }
        return nullptr;
    }

    [[noreturn]] void refuse_option(const std::string& word) const {
        std::vector<std::string> known;
        for (const CLI::App* const command : commands_) {
            for (const CLI::Option* const option : command->get_options()) {
                for (const std::string& name : option->get_lnames()) {
                    known.push_back("--" + name);
                }
            }
        }
        refuse("option", word, known);
    }

    [[noreturn]] void refuse_name(const std::string& word) const {
        std::vector<std::string> known;
        for (const CLI::App* const command : commands_.back()->get_subcommands({})) {
            known.push_back(command->get_name());
        }
        refuse("argument", word, known);
    }

    [[noreturn]] static void refuse(const std::string& what, const std::string& word,
                                    const std::vector<std::string>& known) {
        const std::string nearest = nearest_name(word, known);
        const bool helps = !nearest.empty() && nearest != word;  // the same: behind "--"
        throw UsageError(fmt::format(
            "unknown {} '{}'{}", what, word,
            helps ? ", did you mean '" + nearest + "'?" : "; --help lists what there is"));
    }

    const std::vector<std::string>& words_;
    size_t next_ = 0;
    std::vector<CLI::App*> commands_;  // the program, its command, and the one of that
    int64_t names_ = 0;                // positional arguments of the last one so far
    std::vector<std::string> disguised_;
};

// Runs before anything else is done with a value.
void undisguise_values(CLI::App& app) {
    for (CLI::Option* const option : app.get_options()) {
        if (!is_flag(*option)) {
            option->transform([](const std::string& value) { return value.substr(1); });
        }
    }
    for (CLI::App* const command : app.get_subcommands({})) {
        undisguise_values(*command);
    }
}

}  // namespace

void parse_command_line(CLI::App& app, const std::vector<std::string>& words) {
    std::vector<std::string> disguised = Walk(app, words).disguised();
    std::reverse(disguised.begin(), disguised.end());  // CLI11 takes them from the end
    undisguise_values(app);
    try {
        app.parse(std::move(disguised));
    } catch (const CLI::Success&) {
        throw;
    } catch (const CLI::ParseError& error) {
        throw UsageError(error.what());
    }
}

}  // namespace smoe
