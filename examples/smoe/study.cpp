// smoe study: arms x learning rates x seeds from a plan, trained several at a time, and what came
// of them as rows, as a table, as a page and as figures. It can be stopped, killed and started
// again at any time.
// Read next: study_plan.h, study_runs.h, study_workers.h, study_results.h, study_comparison.h, in
// this order.
#include <cmath>
#include <memory>

#include "core/check.h"
#include "core/file.h"
#include "core/format.h"
#include "core/threads.h"
#include "examples/smoe/commands.h"
#include "examples/smoe/interruption.h"
#include "examples/smoe/options.h"
#include "examples/smoe/outputs.h"
#include "examples/smoe/printing.h"
#include "examples/smoe/shell.h"
#include "examples/smoe/study_costs.h"
#include "examples/smoe/study_figure.h"
#include "examples/smoe/study_pace.h"
#include "examples/smoe/study_page.h"
#include "examples/smoe/study_results.h"
#include "examples/smoe/study_table.h"
#include "examples/smoe/study_workers.h"

namespace smoe {
namespace {

struct StudyOptions {
    std::string plan, out, figure, figure_x, domain = "all";
    std::vector<std::string> rows;
    int jobs = 0;
    bool dry_run = false, table = false, retry = false, pace = false;
};

std::string state_text(const RunStatus& status) {
    switch (status.state) {
        case RunState::finished:
            return fmt::format("done, {:.4f} bits per byte", status.bits_per_byte);
        case RunState::failed:
            return "failed: " + status.message;
        case RunState::begun:
            return fmt::format("begun, step {}", format_count(status.step));
        default:
            return "to do";
    }
}

std::string time_left(const Study& study, int jobs) {
    const double seconds = study.seconds_left(jobs);
    return std::isfinite(seconds)
               ? fmt::format("about {} left with {} at a time", format_duration(seconds), jobs)
               : "time unknown until a run has ended";
}

int show_runs(const Study& study, int jobs) {
    const std::vector<RunCosts> costs = arm_costs(study);
    for (size_t arm = 0; arm < costs.size(); ++arm) {
        say("{}", costs_line(study.plan().arms[arm].name, costs[arm]));
    }
    for (size_t i = 0; i < study.runs().size(); ++i) {
        const StudyRun& run = study.runs()[i];
        if (study.is_wanted(i)) {
            say("{}, {} steps: {}", run.name, format_count(run.config.steps),
                state_text(study.status(i)));
        } else if (study.sweep_is_open(run.arm) && run.lr == study.plan().arms[run.arm].lr[0]) {
            say("{}, lr from the sweep, seed {}, {} steps: to do", study.plan().arms[run.arm].name,
                run.seed, format_count(run.config.steps));
        }
    }
    say("{} of {} runs have ended; {}", study.ended_count(), study.wanted_count(),
        time_left(study, jobs));
    return 0;
}

void report_run(const Study& study, size_t run, int jobs) {
    const RunStatus& status = study.status(run);
    const std::string what =
        status.state == RunState::finished
            ? fmt::format("{:.4f} bits per byte, {} steps in {}", status.bits_per_byte,
                          format_count(status.step), format_duration(status.seconds))
            : state_text(status);
    const bool last = study.ended_count() == study.wanted_count();
    say("[{}/{}] {}: {}{}", study.ended_count(), study.wanted_count(), study.runs()[run].name, what,
        last ? "" : "; " + time_left(study, jobs));
    std::fflush(stdout);
}

int draw_figure(const Study& study, const StudyOptions& options) {
    require_replaceable(options.figure, "a figure of smoe study", [](const std::string& bytes) {
        return bytes.empty() || bytes.starts_with(figure_start);
    });
    write_file(options.figure, options.figure_x.empty()
                                   ? arms_figure(study, options.domain)
                                   : setting_figure(study, options.domain, options.figure_x));
    fmt::print("{}\n", shown(options.figure));
    return 0;
}

void require_texts(const Study& study) {
    for (const StudyRun& run : study.runs()) {
        require_readable(run.config.data);
        require_readable(run.config.valid);
    }
}

int train_all(Study& study, const StudyOptions& options) {
    if (options.retry) {
        study.forget_failures();
    }
    const bool anything_to_do = study.ended_count() < study.wanted_count();
    if (anything_to_do) {
        require_texts(study);
    }
    require_writable_folder(study.folder());
    require_replaceable_page(study);
    make_folder(study.folder());
    const FolderLock lock(study.folder());  // two studies would train the same runs
    watch_for_interruption();
    provide_tokenizer(study.plan(), study.folder(), anything_to_do);
    const std::vector<RunCosts> costs = arm_costs(study);
    const auto write_all = [&] {
        write_results(study, costs);
        write_study_page(study, costs);
    };
    const bool ended = train_runs(study, options.jobs, [&](size_t run) {
        write_all();
        report_run(study, run, options.jobs);
    });
    write_all();
    if (!ended) {
        say("interrupted; saved. Go on with");
        std::string words = "study " + shell_path(options.plan) + " -o " + shell_path(options.out);
        for (const std::string& file : options.rows) {
            words += " --rows " + shell_path(file);
        }
        fmt::print("    {}\n", own_command(words));
        return 130;
    }
    fmt::print("\n{}\n", table_text(study));
    say("rows of all runs in {0}/results.csv, curves in {0}/index.html", study.folder());
    check(study.is_complete(),
          "an arm has no learning rate at which all of its runs have finished; see \"failed\" in "
          "'{}/results.json'; --retry tries those runs again",
          study.folder());
    return 0;
}

int measure(const Study& study) {
    require_texts(study);
    require_writable_folder(study.folder());
    make_folder(study.folder());
    const FolderLock lock(study.folder());
    watch_for_interruption();
    provide_tokenizer(study.plan(), study.folder(), true);
    if (!measure_pace(study.plan(), study.runs(), study.folder())) {
        say("interrupted; nothing is kept");
        return 130;
    }
    say("written to {}/pace.csv; tables and pages take seconds from it now", study.folder());
    return 0;
}

int run_study(const StudyOptions& options) {
    check(options.jobs >= 1 && options.jobs <= 1024, "--jobs must be from 1 to 1024, found {}",
          options.jobs);
    Study study(options.plan, options.out, options.rows);
    if (options.dry_run) {
        return show_runs(study, options.jobs);
    }
    if (options.pace) {
        return measure(study);
    }
    if (options.table) {
        require_domain(result_rows(study), options.domain);
        fmt::print("{}", table_text(study, options.domain));
        return 0;
    }
    if (!options.figure.empty()) {
        return draw_figure(study, options);
    }
    return train_all(study, options);
}

}  // namespace

Command add_study(Arguments arguments) {
    auto options = std::make_shared<StudyOptions>();
    arguments.path("plan", options->plan, "arms, seeds and learning rates: a .json file")
        .required();
    arguments.path("-o,--out", options->out, "folder for runs and results")
        .required()
        .called("DIR");
    arguments
        .paths("--rows", options->rows,
               "results.csv of the same runs done elsewhere, which are not done again")
        .called("FILE");
    const Option jobs =
        arguments.number("--jobs", options->jobs, "runs at a time, each on one thread")
            .default_shown("all processors");
    const Option dry = arguments.flag("--dry-run", options->dry_run,
                                      "only list the arms' costs, the runs, and what is known "
                                      "of the time");
    const Option table =
        arguments.flag("--table", options->table, "only print the table of what is there")
            .excludes(dry);
    const Option figure =
        arguments.path("--figure", options->figure, "only draw the arms' losses: an .svg file")
            .called("FILE")
            .excludes(dry)
            .excludes(table);
    arguments.name("--figure-x", options->figure_x, "against a setting of the arms: experts")
        .called("SETTING")
        .needs(figure);
    arguments.flag("--pace", options->pace, "only measure how fast the arms are, one at a time")
        .excludes(dry)
        .excludes(table)
        .excludes(figure);
    const Option domain = arguments.name("--domain", options->domain, "of the table or figure");
    arguments.flag("--retry", options->retry, "try runs again that failed")
        .excludes(dry)
        .excludes(table)
        .excludes(figure);
    return [options, jobs, domain] {
        if (domain.given() && !options->table && options->figure.empty()) {
            throw UsageError("--domain is for --table and --figure");
        }
        options->jobs = jobs.given() ? options->jobs : threads();
        return run_study(*options);
    };
}

}  // namespace smoe
