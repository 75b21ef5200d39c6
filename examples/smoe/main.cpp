// The program `smoe`: reads the command line, runs one command, and turns every failure into one
// line. Exit status: 0 done, 1 an error, 2 wrong usage, 130 interrupted.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>

#include "core/check.h"
#include "core/text.h"
#include "core/threads.h"
#include "examples/smoe/commands.h"

namespace {

// Names of options and commands that `word` could have meant.
std::vector<std::string> known_names(const CLI::App& app, const std::string& word) {
    std::vector<std::string> names;
    if (word.starts_with("-")) {
        for (const CLI::Option* option : app.get_options()) {
            for (const std::string& name : option->get_lnames()) {
                names.push_back("--" + name);
            }
        }
    }
    for (const CLI::App* command : app.get_subcommands({})) {
        names.push_back(command->get_name());
    }
    return names;
}

// Throws UsageError for the first argument that nobody asked for.
void refuse_extras(const CLI::App& app, const std::string& what) {
    const std::vector<std::string> extras = app.remaining();
    if (!extras.empty()) {
        const std::string word = extras.front().substr(0, extras.front().find('='));
        const std::string nearest = smoe::nearest_name(word, known_names(app, word));
        throw smoe::UsageError(
            fmt::format("unknown {} '{}'{}; `{} --help` lists what there is",
                        word.starts_with("-") ? "option" : "argument", word,
                        nearest.empty() ? "" : fmt::format(", did you mean '{}'?", nearest), what));
    }
    for (const CLI::App* command : app.get_subcommands()) {
        refuse_extras(*command, what + " " + command->get_name());
    }
}

int run(int argc, char** argv) {
    CLI::App app("Trains and runs language models whose experts share one network.", "smoe");
    app.require_subcommand(0, 1);
    app.allow_extras();
    app.set_help_all_flag("--help-all", "Help of every command");
    int thread_count = 0;
    app.add_option("--threads", thread_count, "threads to use; the results do not depend on it")
        ->default_str("all processors");

    struct Entry {
        const char* name;
        const char* help;
        smoe::Command (*add)(CLI::App&);
    };
    const Entry entries[] = {
        {"corpus", "write the built-in corpus: stories in English and German, and sums",
         smoe::add_corpus},
        {"tokenizer", "train a tokenizer, encode and decode", smoe::add_tokenizer},
        {"train", "train a model on text", smoe::add_train},
        {"eval", "measure a trained model on text", smoe::add_eval},
        {"generate", "let a trained model write", smoe::add_generate},
        {"verify", "recompute golden files and print the largest differences", smoe::add_verify}};
    std::vector<std::pair<CLI::App*, smoe::Command>> commands;
    for (const Entry& entry : entries) {
        CLI::App* const command = app.add_subcommand(entry.name, entry.help);
        command->allow_extras()->fallthrough();
        commands.emplace_back(command, entry.add(*command));
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) {
            return app.exit(error);  // help was asked for
        }
        throw smoe::UsageError(error.what());
    }
    refuse_extras(app, "smoe");
    if (thread_count != 0) {
        smoe::set_threads(thread_count);
    }
    for (const auto& [command, body] : commands) {
        if (command->parsed()) {
            return body();
        }
    }
    fmt::print("{}", app.help());
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    smoe::sleep_while_waiting(argv);
    try {
        return run(argc, argv);
    } catch (const smoe::UsageError& error) {
        fmt::print(stderr, "smoe: error: {}\n", error.what());
        return 2;
    } catch (const std::bad_alloc&) {
        fmt::print(stderr,
                   "smoe: error: not enough memory; a smaller model or --batch needs less\n");
        return 1;
    } catch (const std::exception& error) {
        fmt::print(stderr, "smoe: error: {}\n", error.what());
        return 1;
    }
}
