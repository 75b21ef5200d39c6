// One shell function with three tables: the words of each command, the values of each option that is
// a choice, and the options that take files. It leaves out which options exclude each other.
// Read next: tests/examples/completion_test.cpp, where bash itself completes.
#include "examples/smoe/completion.h"

#include <CLI/CLI.hpp>
#include <vector>

#include "core/text.h"

namespace smoe {
namespace {

// "router hash" of the type "NAME:{router,hash}"; "" for an option that is no choice.
std::string choices_of(const CLI::Option& option) {
    std::string type = option.get_type_name();
    const size_t begin = type.find('{'), end = type.find('}');
    if (begin == type.npos || end == type.npos) {
        return "";
    }
    std::string words = type.substr(begin + 1, end - begin - 1);
    std::ranges::replace(words, ',', ' ');
    return words;
}

bool takes_files(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    return type.starts_with("FILE") || type.starts_with("DIR");
}

struct Tables {
    std::string words, choices, files;  // lines of `case`

    // The commands of `app`, whose names so far are `path`.
    void add(const CLI::App& app, const std::string& path) {
        std::vector<std::string> own;
        for (const CLI::App* const command : app.get_subcommands({})) {
            own.push_back(command->get_name());
            add(*command, path.empty() ? command->get_name() : path + " " + command->get_name());
        }
        for (const CLI::Option* const option : app.get_options()) {
            if (option->get_positional() && !choices_of(*option).empty()) {
                own.push_back(choices_of(*option));
            }
            for (const std::string& name : option->get_lnames()) {
                own.push_back("--" + name);
                const std::string pattern = "'" + path + " --" + name + "'";
                if (const std::string words_of = choices_of(*option); !words_of.empty()) {
                    choices += "        " + pattern + ") words='" + words_of + "' ;;\n";
                } else if (takes_files(*option)) {
                    files += "|" + pattern;
                } else if (option->get_items_expected_max() > 0) {
                    choices += "        " + pattern + ") words= ;;\n";  // a number or a text
                }
            }
        }
        words += "        '" + path + "') words='" + join(own, " ") + "' ;;\n";
    }
};

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
    Tables tables;
    tables.add(app, "");
    std::string known;
    for (const CLI::App* const command : app.get_subcommands({})) {
        known += "|' " + command->get_name() + "'";
        for (const CLI::App* const below : command->get_subcommands({})) {
            known += "|'" + command->get_name() + " " + below->get_name() + "'";
        }
    }
    const std::string layer =
        shell == "zsh" ? "autoload -Uz compinit bashcompinit && compinit && bashcompinit\n" : "";
    return "# Completion for " + shell + ". In ~/." + shell + "rc:  source <(smoe completion " +
           shell + ")\n" + layer + R"sh(_smoe() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command= words= i
    for ((i = 1; i < COMP_CWORD; ++i)); do
        case "$command ${COMP_WORDS[i]}" in
        )sh" +
           known.substr(1) + R"sh() command="${command:+$command }${COMP_WORDS[i]}" ;;
        esac
    done
    case "$command" in
)sh" + tables.words +
           R"sh(    esac
    case "$command $before" in
)sh" + tables.choices +
           "        " + tables.files.substr(1) + R"sh()
            local IFS=$'\n'  # names may hold blanks
            COMPREPLY=($(compgen -f -- "$word"))
            return ;;
    esac
    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$words" -- "$word"))
        return
    fi
    COMPREPLY=($(compgen -W "$words" -X '-*' -- "$word"))
    if [[ ${#COMPREPLY[@]} -eq 0 && $words ]]; then  # a name that stands by its place
        local IFS=$'\n'
        COMPREPLY=($(compgen -f -- "$word"))
    fi
}
complete -o filenames -F _smoe smoe
)sh";
}

}  // namespace smoe
