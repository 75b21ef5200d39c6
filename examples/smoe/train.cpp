// smoe train: text in, run directory out. Settings come from a preset, a file and flags, in this
// order; a run that goes on takes them from its folder.
// Read next: eval.cpp; models/training/training_loop.h, where the steps are taken.
#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <memory>

#include "core/blas.h"
#include "core/check.h"
#include "core/file.h"
#include "core/text.h"
#include "core/threads.h"
#include "examples/smoe/commands.h"
#include "examples/smoe/options.h"
#include "examples/smoe/stories.h"
#include "models/training/progress.h"
#include "models/training/trainer.h"
#include "models/training/training_loop.h"

namespace smoe {
namespace {

std::atomic<bool> interrupted = false;

// The first Ctrl-C asks for a checkpoint after the current step; a second one ends the program at
// once.
void on_interrupt(int signal) {
    interrupted = true;
    std::signal(signal, SIG_DFL);
}

// A reader that has gone, as of `smoe train | head`, asks for the same, at each line anew.
void on_broken_pipe(int) {
    interrupted = true;
}

void save_when_interrupted() {
    std::signal(SIGINT, on_interrupt);
    std::signal(SIGTERM, on_interrupt);
    std::signal(SIGPIPE, on_broken_pipe);
    if (std::signal(SIGHUP, on_interrupt) == SIG_IGN) {  // nohup
        std::signal(SIGHUP, SIG_IGN);
    }
}

struct TrainOptions {
    std::string preset, config_file, run;
    bool resume = false;
    Config flags;  // where the parser puts the settings given as flags
    std::vector<std::function<void(Config&)>> given;  // copies such a setting if it was given
};

// What may change when a run goes on: how long, what is reported, how much is kept in memory, and
// where the text lies, which must be the same.
bool may_change(const std::string& flag) {
    for (const char* free :
         {"--steps", "--minutes", "--log-every", "--eval-every", "--sample-every",
          "--checkpoint-every", "--eval-tokens", "--recompute", "--data", "--valid"}) {
        if (flag == free) {
            return true;
        }
    }
    return false;
}

// "[128]", or where presets differ "[tiny 128, small 256, paper 512]".
std::string defaults_of(const std::string& flag) {
    std::vector<std::string> values;
    for (const std::string& name : preset_names()) {
        Config config = preset(name);
        visit_settings(config, [&](const Setting& setting, const auto& field) {
            if (flag == setting.flag) {
                values.push_back(setting_text(field));
            }
        });
    }
    if (std::equal(values.begin() + 1, values.end(), values.begin())) {
        return values[0].empty() ? "" : " [" + values[0] + "]";
    }
    std::string all;
    for (size_t i = 0; i < values.size(); ++i) {
        all += fmt::format("{}{} {}", i ? ", " : "", preset_names()[i], values[i]);
    }
    return " [" + all + "]";
}

void add_settings(CLI::App& app, TrainOptions& options) {
    visit_settings(options.flags, [&](const Setting& setting, auto& field) {
        using T = std::decay_t<decltype(field)>;
        const std::string flag = setting.flag;
        if (flag.empty()) {
            return;
        }
        CLI::Option* option = nullptr;
        if constexpr (std::is_same_v<T, bool>) {
            option = app.add_flag(flag, field, setting.help);
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
            option = app.add_option(flag, field, setting.help)->type_name("FILE...");
        } else {
            option = app.add_option(flag, field, setting.help + defaults_of(flag));
            if constexpr (std::is_integral_v<T>) {
                option->check(whole_number<T>);
            }
            if (!setting.choices.empty()) {
                option->check(CLI::IsMember(setting.choices))->type_name("NAME");
            }
        }
        option->group(std::string("Settings: ") + setting.group);
        options.given.push_back([option, flag, &field](Config& config) {
            if (option->count() > 0) {
                visit_settings(config, [&](const Setting& other, auto& target) {
                    if constexpr (std::is_same_v<std::decay_t<decltype(target)>, T>) {
                        if (flag == other.flag) {
                            target = field;
                        }
                    }
                });
            }
        });
    });
}

// The stored configuration with the flags that may change; Error for any other flag that differs.
Config resumed_config(const TrainOptions& options, const Config& stored) {
    if (!options.preset.empty() || !options.config_file.empty()) {
        throw UsageError(
            "--resume takes its settings from the run; --preset and --config are for a new one");
    }
    Config config = stored;
    for (const auto& apply : options.given) {
        apply(config);
    }
    std::vector<std::string> values;
    visit_settings(
        stored, [&](const Setting&, const auto& field) { values.push_back(setting_text(field)); });
    size_t i = 0;
    visit_settings(config, [&](const Setting& setting, const auto& field) {
        check(setting_text(field) == values[i] || may_change(setting.flag),
              "{} was '{}' when this run began and cannot become '{}' on the way: start a new run",
              setting.flag, values[i], setting_text(field));
        ++i;
    });
    check_config(config);
    return config;
}

Config new_config(const TrainOptions& options) {
    Config config = preset(options.preset.empty() ? "tiny" : options.preset);
    if (!options.config_file.empty()) {
        config = config_from_json(read_file(options.config_file), options.config_file, config);
        config.valid_hash = "";  // of the run that the file came from
    }
    for (const auto& apply : options.given) {
        apply(config);
    }
    if (config.data.empty()) {
        throw UsageError("train needs text: --data FILE...");
    }
    check_config(config);
    return config;
}

Tokenizer make_tokenizer(const Config& config, const std::vector<Story>& stories) {
    if (!config.tokenizer.empty()) {
        return Tokenizer::from_json(read_file(config.tokenizer), config.tokenizer);
    }
    std::vector<std::string_view> texts;
    for (const Story& story : stories) {
        texts.push_back(story.text);
    }
    return Tokenizer::train(texts, int(config.entries), pre_tokenizer_named(config.pre_tokenizer));
}

void introduce(const Config& config) {
    SingleMoe moe(config);
    fmt::print("model: {} parameters", format_count(moe.model.parameter_count()));
    if (config.routing == "none") {
        fmt::print(", dense\n");
        return;
    }
    fmt::print(", {} experts that switch off {:g} % of its {} neurons\n", config.num_experts,
               100 * config.mask_rate,
               config.mask_where == "both" ? "hidden and output" : config.mask_where);
    if (moe.router.network() != nullptr) {
        fmt::print("router: {} parameters, learns for {} steps, then frozen\n",
                   format_count(moe.router.network()->parameter_count()), config.router_steps);
    } else {
        fmt::print("router: {}\n", config.routing);
    }
}

int train(const TrainOptions& options) {
    const RunDirectory run(options.run);
    const bool resume = options.resume;
    if (!resume) {
        run.require_unused();
    }
    Config config = resume ? resumed_config(options, run.config()) : new_config(options);
    fmt::print("seed {}, {} threads, {}\n", config.seed, threads(), blas_name());

    const auto [train_stories, valid_stories] = split_stories(config);
    const Tokenizer tokenizer =
        resume ? run.tokenizer(config) : make_tokenizer(config, train_stories);
    config.vocab_size = tokenizer.vocab_size();
    config.tokenizer_hash = fmt::format("{:016x}", tokenizer.hash());
    if (!config.tokenizer.empty()) {
        config.entries = tokenizer.vocab_size() - 1;
        config.pre_tokenizer = tokenizer.pre_tokenizer() == PreTokenizer::gpt2 ? "gpt2" : "none";
    }
    fmt::print("tokenizer: {} tokens\n", format_count(config.vocab_size));

    const Dataset train_data(train_stories, tokenizer, dataset_settings(config));
    fmt::print("training text: {}\n", train_data.summary());
    std::unique_ptr<Dataset> valid_data;
    if (!valid_stories.empty()) {
        DatasetSettings settings = dataset_settings(config);
        settings.held_out = config.valid.empty();
        valid_data = std::make_unique<Dataset>(valid_stories, tokenizer, settings);
        fmt::print("held-out text: {}\n", valid_data->summary());
        const std::string hash = fmt::format("{:016x}", valid_data->hash());
        check(config.valid_hash.empty() || config.valid_hash == hash,
              "the held-out text is not the one that this run was measured on: give that one, or "
              "start a new run");
        config.valid_hash = hash;
    } else {
        fmt::print("held-out text: none, so nothing is evaluated\n");
    }
    if (resume && run.has_state()) {
        Trainer::require_fitting(config, run.state());
    }
    introduce(config);
    if (!resume) {
        run.create(config, tokenizer);
    }

    save_when_interrupted();
    const StopReason reason = run_training(run, config, tokenizer, train_data, valid_data.get(),
                                           [] { return interrupted.load(); });
    if (reason == StopReason::interrupted) {
        fmt::print("interrupted; saved. Go on with: smoe train --run {} --resume\n", options.run);
        return 130;
    }
    fmt::print("\nloss over steps\n{}\nsaved in {}\n", loss_curve(run, 64, 12), options.run);
    return 0;
}

}  // namespace

Command add_train(CLI::App& app) {
    auto options = std::make_shared<TrainOptions>();
    app.add_option("--run", options->run, "folder for the run")->required();
    app.add_option("--preset", options->preset, "sizes to start from [tiny]")
        ->check(CLI::IsMember(preset_names()))
        ->type_name("NAME");
    app.add_option("--config", options->config_file,
                   "config.json whose settings go over the preset's")
        ->type_name("FILE");
    app.add_flag("--resume", options->resume, "go on with the run from its last checkpoint");
    add_settings(app, *options);
    // A tokenizer that is there has its entries; and of two ways to say when to stop one would be
    // ignored.
    app.get_option("--tokenizer")
        ->excludes(app.get_option("--entries"))
        ->excludes(app.get_option("--pre-tokenizer"));
    CLI::Option* const steps = app.get_option("--steps")->excludes(app.get_option("--minutes"));
    options->given.push_back([steps](Config& config) {
        if (steps->count() > 0) {
            config.minutes = 0;
        }
    });
    return [options] { return train(*options); };
}

}  // namespace smoe
