// smoe train: text in, run directory out. Settings come from a preset, a file and flags, in this
// order; a run that goes on takes them from its folder.
// Read next: eval.cpp; models/training/training_loop.h, where the steps are taken.
#include <cstdio>
#include <memory>
#include <optional>

#include "core/blas.h"
#include "core/check.h"
#include "core/file.h"
#include "core/format.h"
#include "core/processes.h"
#include "core/terminal.h"
#include "core/text.h"
#include "core/threads.h"
#include "examples/smoe/commands.h"
#include "examples/smoe/flags.h"
#include "examples/smoe/initial_weights.h"
#include "examples/smoe/interruption.h"
#include "examples/smoe/numbered_runs.h"
#include "examples/smoe/options.h"
#include "examples/smoe/printing.h"
#include "examples/smoe/processors.h"
#include "examples/smoe/shell.h"
#include "examples/smoe/train.h"
#include "examples/smoe/version.h"
#include "models/text/story_list.h"
#include "models/text/story_split.h"
#include "models/training/progress.h"
#include "models/training/run_costs.h"
#include "models/training/shards.h"
#include "models/training/trainer.h"
#include "models/training/training_loop.h"

namespace smoe {
namespace {

struct TrainOptions {
    std::string preset, config_file, run;
    bool resume = false, quiet = false;
    std::function<void(Config&)> apply_flags;  // copies the settings that were given
    std::function<bool()> asks_for_tokenizer;  // whether one of them is about one to be learned
};

std::string run_path(const TrainOptions& options) {
    return !options.run.empty() ? options.run
           : options.resume     ? last_numbered_run()
                                : next_numbered_run();
}

// The stored configuration with the flags that may change; Error for any other flag that differs.
Config resumed_config(const TrainOptions& options, const Config& stored) {
    if (!options.preset.empty() || !options.config_file.empty()) {
        throw UsageError(
            "--resume takes its settings from the run; --preset and --config are for a new one");
    }
    Config config = stored;
    options.apply_flags(config);
    for (const Difference& difference : differences(stored, config)) {
        check(difference.setting.free,
              "{} was '{}' when this run began and cannot become '{}' on the way: start a new run",
              flag_of(difference.setting), difference.first, difference.second);
    }
    check_config(config);
    return config;
}

// Does a token file among the texts bring its own?
bool brings_tokenizer(const Config& config) {
    return has_token_file(config.data) || has_token_file(config.valid);
}

// `base` with the settings of --config over it, and those of flags over both.
Config with_settings(const TrainOptions& options, Config base) {
    if (!options.config_file.empty()) {
        base = config_from_json(read_file(options.config_file), options.config_file, base);
        base.valid_hash = "";  // of the run that the file came from
    }
    options.apply_flags(base);
    return base;
}

Config new_config(const TrainOptions& options) {
    Config config =
        with_settings(options, preset(options.preset.empty() ? "tiny" : options.preset));
    if (!config.init.empty()) {
        if (!options.preset.empty()) {
            throw UsageError("--init has its sizes from its folder; --preset is for a new model");
        }
        config = with_settings(options, settings_from(config.init));
        require_same_model(config);
    }
    if (config.data.empty()) {
        throw UsageError("train needs text: --data FILE...");
    }
    if (brings_tokenizer(config) && options.asks_for_tokenizer()) {
        throw UsageError(
            "a .tokens file brings its own tokenizer, so entries and pre-tokenizer cannot be set");
    }
    check_config(config);
    return config;
}

// Throws Error for what would else come out after minutes of reading: a file that is missing, a folder
// that cannot be written to.
void look_ahead(const RunDirectory& run, const Config& config) {
    require_readable(config.data);
    require_readable(config.valid);
    if (process_rank() == 0) {
        run.require_writable();
    }
}

// The tokenizer that is there before any text is read: the run's, or one that is given.
std::optional<Tokenizer> known_tokenizer(const RunDirectory& run, const Config& config,
                                         bool resume) {
    if (resume) {
        return run.tokenizer(config);
    }
    const std::optional<Tokenizer> tokenizer = given_tokenizer(config);
    if (tokenizer) {
        run.require_no_other(*tokenizer);
    }
    return tokenizer;
}

void introduce_model(const Config& config, const SingleMoe& moe) {
    const std::string parameters = format_count(moe.model.parameter_count());
    if (moe.router->is_dense()) {
        say("model: {} parameters, dense", parameters);
        return;
    }
    const ExpertSettings& experts = config.model.experts;
    say("model: {} parameters, {} experts that switch off {:g} % of its {} neurons", parameters,
        experts.count, 100 * experts.mask_rate, masked_neurons(experts.mask_where));
    say("router: {}{}", moe.router->description(),
        moe.router->learns()
            ? fmt::format(", {} parameters", format_count(moe.router->parameter_count()))
            : "");
}

// What is about to be trained, and what that costs.
void introduce(const Config& config, const SingleMoe& moe, const Dataset& train_data) {
    introduce_model(config, moe);
    for (const std::string& line : RunCosts(moe, config, train_data).summary()) {
        say("{}", line);
    }
}

DatasetSettings settings_of(const Config& config, const char* what) {
    DatasetSettings settings = dataset_settings(config);
    settings.what = what;
    return settings;
}

void check_held_out(const Config& config, bool same) {
    check(config.valid_hash.empty() || same,
          "the held-out text is not the one that this run was measured on: {}, or start a new run",
          config.valid.empty()
              ? "its --data has changed since, or another version of this program held out other "
                "stories of it; give the same --data to the same version"
              : "give that one");
}

void warn_of_text(const Config& config, const StorySplit& stories, const Dataset& train_data) {
    // A share that was held out has no text of the rest.
    const int64_t known = config.valid.empty() ? 0 : count_known(stories);
    if (known > 0) {
        complain(
            fmt::format("warning: {} of the {} held-out stories are in the training text, too: the "
                        "held-out loss says little of new text",
                        format_count(known), format_count(int64_t(stories.valid.size()))));
    }
    constexpr double most_epochs = 100;
    const double epochs = double(config.steps) / double(train_data.batches());
    if (config.minutes == 0 && epochs > most_epochs) {  // with --minutes nobody knows them yet
        complain(
            fmt::format("warning: {} steps see this training text {} times, so it will be learned "
                        "by heart: give more text, or train for less",
                        format_count(config.steps), format_count(int64_t(epochs))));
    }
}

// Throws Error in every process unless all are the same program, with the same settings and text.
void require_same(const Config& config, const Dataset& train_data) {
    const std::vector<std::pair<std::string, std::string>> facts = {
        {"program", version_text() + " " + blas_name()},
        {"settings", fixed_settings(config)},
        {"training text", train_data.hash_text()}};
    for (const auto& [what, own] : facts) {
        const std::vector<std::string> all = all_gather(own);
        for (size_t rank = 1; rank < all.size(); ++rank) {
            if (all[rank] != all.front()) {
                fail_together("{} has another {} than process 0", process_name(int(rank)), what);
            }
        }
    }
}

// The run's tokenizer if it has one already; otherwise what the first process learns.
Tokenizer tokenizer_of_run(const std::optional<Tokenizer>& known, const Config& config,
                           const std::vector<Story>& stories) {
    if (known) {
        return *known;
    }
    std::optional<Tokenizer> learned;
    together([&] {
        if (process_rank() == 0) {
            learned = learn_tokenizer(config, stories);
        }
    });
    const std::string json = from_first(learned ? learned->to_json() : "");
    return learned ? *learned : Tokenizer::from_json(json, "the tokenizer of process 0");
}

// Where a run begins or goes on: what is known before any text is read.
struct Start {
    Config config;
    std::optional<Tokenizer> tokenizer;
};

Start start_of(const TrainOptions& options, const RunDirectory& run) {
    if (!options.resume) {
        run.require_unused();
    }
    Start start;
    start.config = options.resume ? resumed_config(options, run.config()) : new_config(options);
    require_shards(start.config.shards);
    look_ahead(run, start.config);
    start.tokenizer = known_tokenizer(run, start.config, options.resume);
    return start;
}

int train(const TrainOptions& options) {
    if (options.quiet) {
        be_quiet();
    }
    const bool resume = options.resume;
    std::string path;
    together([&] { path = run_path(options); });
    const RunDirectory run(from_first(path));
    Start start;
    together([&] { start = start_of(options, run); });
    Config& config = start.config;
    if (options.run.empty()) {
        say("run: {}", run.path());
    }
    say("seed {}, {}{} threads, {}", config.seed,
        process_count() > 1 ? fmt::format("{} processes of ", process_count()) : "", threads(),
        blas_name());
    say_if_bound();
    say("{}", precision_note(config.precision));

    StorySplit stories;
    together([&] { stories = read_split(config.data, config.valid, config.valid_share); });
    const Tokenizer tokenizer = tokenizer_of_run(start.tokenizer, config, stories.train.texts());
    config.model.vocab_size = tokenizer.vocab_size();
    config.tokenizer_hash = fmt::format("{:016x}", tokenizer.hash());
    if (!resume && has_tokenizer(config)) {
        config.entries = tokenizer.vocab_size() - 1;
        config.pre_tokenizer = tokenizer.pre_tokenizer();
    }
    fmt::print("tokenizer: {} tokens\n", format_count(config.model.vocab_size));

    std::unique_ptr<Dataset> train_data, valid_data;
    together([&] {
        run.require_no_other(tokenizer);  // run.create would say so after the model is built
        train_data = std::make_unique<Dataset>(stories.train.encoded(tokenizer), tokenizer,
                                               settings_of(config, "training text"));
        say("training text: {}", train_data->summary());
        if (!stories.valid.empty()) {
            DatasetSettings settings = settings_of(config, "held-out text");
            settings.held_out = config.valid.empty();
            valid_data =
                std::make_unique<Dataset>(stories.valid.encoded(tokenizer), tokenizer, settings);
            say("held-out text: {}", valid_data->summary());
            if (config.valid_hash.empty()) {
                config.valid_hash = valid_data->hash_text();
            }
            check_held_out(config, valid_data->has_hash(config.valid_hash));
        } else {
            say("held-out text: none, so nothing is evaluated");
            check_held_out(config, false);
        }
    });
    require_same(config, *train_data);

    watch_for_interruption();
    stop_waiting_when(interrupted);
    const StopReason reason = run_training(run, config, tokenizer, *train_data, valid_data.get(),
                                           interrupted, [&](const SingleMoe& moe) {
                                               introduce(config, moe, *train_data);
                                               if (!resume) {
                                                   run.create(config, tokenizer);
                                                   warn_of_text(config, stories, *train_data);
                                               }
                                           });
    if (process_rank() > 0) {
        return reason == StopReason::interrupted ? 130 : 0;
    }
    if (reason == StopReason::interrupted) {
        say("interrupted; saved. Go on with");
        fmt::print("    {}\n", own_command("train --run " + shell_path(run.path()) + " --resume"));
        return 130;
    }
    if (reason == StopReason::finished) {
        const int width = std::min(64, line_width(STDOUT_FILENO) - plot_margin);
        fmt::print("\nloss over steps\n{}\n", loss_curve(run, std::max(1, width), 12));
        say("saved in {}", run.path());
        suggest("let it write:", "generate " + shell_path(run.path()));
    }
    return 0;
}

std::shared_ptr<TrainOptions> add_train_options(Arguments arguments) {
    auto options = std::make_shared<TrainOptions>();
    arguments
        .path(
            "--run", options->run,
            "folder for the run [the next of runs/1, runs/2, ...; with --resume the last of them]")
        .called("DIR");
    arguments.flag("--quiet", options->quiet, "print nothing but warnings and errors");
    arguments.choice("--preset", options->preset, preset_names(), "sizes to start from [tiny]");
    arguments.path("--config", options->config_file,
                   "config.json whose settings go over the preset's");
    arguments.flag("--resume", options->resume, "go on with the run from its last checkpoint");
    const auto apply_flags = add_setting_flags(arguments);
    // A tokenizer that is there has its entries; and of two ways to say when to stop one would be
    // ignored.
    const Option entries = arguments.find("--entries");
    const Option pre_tokenizer = arguments.find("--pre-tokenizer");
    arguments.find("--tokenizer").excludes(entries).excludes(pre_tokenizer);
    options->asks_for_tokenizer = [entries, pre_tokenizer] {
        return entries.given() || pre_tokenizer.given();
    };
    const Option steps = arguments.find("--steps").excludes(arguments.find("--minutes"));
    options->apply_flags = [apply_flags, steps](Config& config) {
        apply_flags(config);
        if (steps.given()) {
            config.minutes = 0;
        }
    };
    return options;
}

}  // namespace

Config train_config(const std::vector<std::string>& words) {
    Config config;
    parse_words(
        [&config](Arguments arguments) {
            const auto options = add_train_options(arguments);
            return [options, &config] { config = new_config(*options); };
        },
        words);
    return config;
}

bool has_tokenizer(const Config& config) {
    return !config.tokenizer.empty() || brings_tokenizer(config);
}

std::optional<Tokenizer> given_tokenizer(const Config& config) {
    if (!config.init.empty()) {
        return initial_tokenizer(config);
    }
    if (!config.tokenizer.empty()) {
        return Tokenizer::from_json(read_file(config.tokenizer), config.tokenizer);
    }
    return tokenizer_in(has_token_file(config.data) ? config.data : config.valid);
}

Tokenizer learn_tokenizer(const Config& config, const std::vector<Story>& stories) {
    std::vector<std::string_view> texts;
    for (const Story& story : stories) {
        texts.push_back(story.text);
    }
    return Tokenizer::train(texts, int(config.entries), config.pre_tokenizer);
}

Command add_train(Arguments arguments) {
    const auto options = add_train_options(arguments);
    return [options] { return train(*options); };
}

}  // namespace smoe
