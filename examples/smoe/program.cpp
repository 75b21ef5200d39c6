// The program `smoe`: reads the command line, runs one command, and turns every failure into one
// line. Exit status: 0 done, 1 an error, 2 wrong usage, 130 interrupted. It leaves what a command
// does to the file of that command.
// Read next: commands.h.
#include "examples/smoe/program.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <string_view>

#include "core/blas.h"
#include "core/check.h"
#include "core/processes.h"
#include "core/threads.h"
#include "examples/smoe/command_line.h"
#include "examples/smoe/commands.h"
#include "examples/smoe/completion.h"
#include "examples/smoe/help.h"
#include "examples/smoe/options.h"
#include "examples/smoe/printing.h"
#include "examples/smoe/processors.h"
#include "examples/smoe/shell.h"
#include "examples/smoe/version.h"

namespace {

int run(int argc, char** argv) {
    CLI::App app("Trains and runs language models whose experts share one network.", "smoe");
    smoe::set_help_width(app, smoe::help_width(STDOUT_FILENO));
    app.require_subcommand(0, 1);
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app.set_help_all_flag("--help-all", "Help of every command");
    app.set_version_flag("--version", smoe::version_text, "Version, and what it was built with");
    int thread_count = smoe::default_threads();
    const smoe::Arguments arguments(app);
    arguments.number("--threads", thread_count, "threads to use; the results do not depend on it")
        .default_shown("all processors");

    struct Entry {
        const char* name;
        const char* help;
        smoe::Command (*add)(smoe::Arguments);
    };
    const Entry entries[] = {
        {"corpus", "write the built-in corpus: stories in English and German, and sums",
         smoe::add_corpus},
        {"tokenizer", "train a tokenizer, encode and decode", smoe::add_tokenizer},
        {"tokenize", "turn text into a token file, to train from disk", smoe::add_tokenize},
        {"train", "train a model on text", smoe::add_train},
        {"eval", "measure a trained model on text", smoe::add_eval},
        {"experts", "what the experts of a trained model are", smoe::add_experts},
        {"generate", "let a trained model write", smoe::add_generate},
        {"serve", "let trained models answer requests over HTTP", smoe::add_serve},
        {"report", "draw what a run did as one HTML page, or compare several", smoe::add_report},
        {"metrics", "write the numbers of a run for other programs: CSV, TensorBoard",
         smoe::add_metrics},
        {"export", "write a trained model as a folder for Hugging Face tools", smoe::add_export},
        {"study", "train what a plan compares, and make a table of it", smoe::add_study},
        {"verify", "recompute golden files and print the largest differences", smoe::add_verify}};
    std::vector<std::pair<smoe::Arguments, smoe::Command>> commands;
    for (const Entry& entry : entries) {
        const smoe::Arguments command = arguments.command(entry.name, entry.help);
        commands.emplace_back(command, entry.add(command));
    }
    std::string shell;
    const smoe::Arguments completion = arguments.command(
        "completion", "print what lets a shell complete words at the press of Tab");
    completion.choice("shell", shell, {"bash", "zsh"}, "the shell").required();
    try {
        smoe::parse_command_line(app, {argv + 1, argv + argc});
    } catch (const CLI::Success& asked) {
        return app.exit(asked);  // which prints help or version
    }
    if (completion.parsed()) {
        fmt::print("{}", smoe::completion_script(app, shell));
        return 0;
    }
    smoe::set_threads(thread_count);
    smoe::reserve_blas_memory();
    for (size_t i = 0; i < commands.size(); ++i) {
        const auto& [command, body] = commands[i];
        if (command.parsed()) {
            if (smoe::process_count() > 1 && std::string(entries[i].name) != "train") {
                throw smoe::UsageError(fmt::format(
                    "{} runs in one process, and {} were started: only train shares its work",
                    entries[i].name, smoe::process_count()));
            }
            return body();
        }
    }
    fmt::print("{}", app.help());
    return 2;
}

// A file that is mapped got shorter, or its disk failed, while it was looked at: there is no going
// back to whoever looked, and a handler may do little. Training can be killed at any instant.
void on_bus_error(int) {
    constexpr std::string_view line =
        "smoe: error: a file was cut short, or could not be read, while it was in use\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    ::_exit(1);
}

// Prints one line, whatever the names and texts that `message` quotes; returns `status`. Of several
// processes the first speaks for all, unless only this one knows of the failure: then it ends them.
int report(int status, const std::string& message) {
    const bool known_to_all = status == 2 || smoe::failing_together();
    if (known_to_all && smoe::process_rank() > 0) {
        return status;
    }
    const bool alone = smoe::process_count() == 1;
    smoe::complain("error: " + (alone || known_to_all
                                    ? message
                                    : smoe::process_name(smoe::process_rank()) + ": " + message));
    if (!known_to_all) {
        smoe::abort_processes(status);
    }
    return status;
}

int run_and_report(int argc, char** argv) {
    try {
        smoe::start_processes();
        if (smoe::process_rank() > 0) {
            smoe::be_quiet();
        }
        const int status = run(argc, argv);
        if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
            smoe::fail("cannot write to standard output: {}", std::strerror(errno));
        }
        return status;
    } catch (const smoe::UsageError& error) {
        return report(2, error.what());
    } catch (const std::bad_alloc&) {
        return report(1, "not enough memory for this model and as much text at once");
    } catch (const std::exception& error) {
        return report(1, error.what());
    }
}

}  // namespace

namespace smoe {

int run_program(int argc, char** argv) {
    prepare_threads(argv);
    set_program_name(argv[0]);
    std::signal(SIGBUS, on_bus_error);
    std::signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files is an error like a full disk
    const int status = run_and_report(argc, argv);
    end_processes();
    return status;
}

}  // namespace smoe
