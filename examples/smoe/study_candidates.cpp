// The runs that a plan may ask for, each with its settings checked as `smoe train` checks them, and
// the tokenizer that they share.
// Read next: study_runs.h.
#include <algorithm>
#include <cmath>
#include <set>

#include "core/file.h"
#include "core/format.h"
#include "examples/smoe/flags.h"
#include "examples/smoe/printing.h"
#include "examples/smoe/study_plan.h"
#include "examples/smoe/study_rows.h"
#include "examples/smoe/train.h"
#include "models/text/story_split.h"

namespace smoe {
namespace {

std::string tokenizer_file(const std::string& folder) {
    return folder + "/tokenizer.json";
}

std::vector<std::string> words_of(const FlagValues& flags) {
    std::vector<std::string> words;
    for (const auto& [flag, values] : flags) {
        for (const std::string& value : values) {
            words.push_back(fmt::format("--{}={}", flag, value));
        }
    }
    return words;
}

// The settings that `smoe train` takes from these flags. `owner` is who set them: "arm 'dense'".
Config config_of(const StudyPlan& plan, const std::string& owner, const FlagValues& flags) {
    check(flags.contains("data") || flags.contains("config"),
          "'{}': {} names no text to train on: set \"data\"", plan.path, owner);
    std::vector<std::string> words = words_of(flags);
    words.emplace_back("--run=RUN");  // which asks for a name, and looks at nothing
    Config config;
    try {
        config = train_config(words);
    } catch (const Error& error) {
        const std::string problem =
            error.what();  // "--experts: ..." of what a plan calls "experts"
        fail("'{}': {}: {}", plan.path, owner, problem.substr(problem.starts_with("--") ? 2 : 0));
    }
    check(config.minutes == 0,
          "'{}': {}: a study compares equal steps, so \"steps\" ends a run and "
          "not a time",
          plan.path, owner);
    return config;
}

FlagValues with_tokenizer(FlagValues flags, const std::string& path) {
    flags.erase("entries");
    flags.erase("pre-tokenizer");
    flags["tokenizer"] = {path};
    return flags;
}

std::set<std::string> free_flags() {
    std::set<std::string> names = {"steps"};
    const Config config;
    visit_settings(config, [&](const Setting& setting, const auto&) {
        const std::string flag = flag_of(setting);
        if (setting.free && !flag.empty()) {
            names.insert(flag.substr(2));
        }
    });
    return names;
}

}  // namespace

std::string phase_name(StudyPhase phase) {
    return phase == StudyPhase::sweep ? "sweep" : "full";
}

std::vector<StudyRun> planned_runs(StudyPlan& plan, const std::string& folder) {
    const bool own_tokenizer = !has_tokenizer(config_of(plan, "base", plan.base));
    std::vector<StudyRun> runs;
    for (size_t a = 0; a < plan.arms.size(); ++a) {
        StudyArm& arm = plan.arms[a];
        const std::string owner = fmt::format("arm '{}'", arm.name);
        const FlagValues flags =
            own_tokenizer ? with_tokenizer(arm.flags, tokenizer_file(folder)) : arm.flags;
        if (arm.lr.empty()) {
            arm.lr = {config_of(plan, owner, flags).optim.lr};
        }
        const auto add_phase = [&](StudyPhase phase, const std::vector<uint64_t>& seeds) {
            for (const double lr : arm.lr) {
                for (size_t turn = 0; turn < seeds.size(); ++turn) {
                    StudyRun run;
                    run.arm = a;
                    run.phase = phase;
                    run.lr = lr;
                    run.seed = seeds[turn];
                    run.turn = turn;
                    run.flags = flags;
                    run.flags["lr"] = {fmt::format("{}", lr)};
                    run.flags["seed"] = {fmt::format("{}", seeds[turn])};
                    if (phase == StudyPhase::sweep) {
                        run.flags["steps"] = {fmt::format("{}", plan.sweep_steps)};
                    }
                    run.config = config_of(plan, owner, run.flags);
                    run.settings = settings_fingerprint(run.config);
                    run.path = fmt::format("{}/{}/{}/lr_{}_seed_{}", folder,
                                           phase == StudyPhase::sweep ? "sweep" : "runs", arm.name,
                                           lr, seeds[turn]);
                    run.name = fmt::format("{}{}, lr {}, seed {}",
                                           phase == StudyPhase::sweep ? "sweep of " : "", arm.name,
                                           lr, seeds[turn]);
                    runs.push_back(std::move(run));
                }
            }
        };
        if (arm.swept) {
            add_phase(StudyPhase::sweep, plan.sweep_seeds);
        }
        add_phase(StudyPhase::full, arm.seeds);
    }
    return runs;
}

std::vector<std::string> start_words(const StudyRun& run) {
    std::vector<std::string> words = words_of(run.flags);
    words.insert(words.begin(), {"train", "--threads=1", "--run=" + run.path});
    return words;
}

std::vector<std::string> resume_words(const StudyRun& run) {
    static const std::set<std::string> free = free_flags();
    FlagValues flags = run.flags;
    std::erase_if(flags, [](const auto& flag) { return !free.contains(flag.first); });
    flags["steps"] = {fmt::format("{}", run.config.steps)};  // which a preset may have set
    std::vector<std::string> words = words_of(flags);
    words.insert(words.begin(), {"train", "--threads=1", "--run=" + run.path, "--resume"});
    return words;
}

void provide_tokenizer(const StudyPlan& plan, const std::string& folder, bool needed) {
    const Config config = config_of(plan, "base", plan.base);
    if (has_tokenizer(config)) {
        given_tokenizer(config);  // which can be read
        return;
    }
    const std::string path = tokenizer_file(folder);
    if (file_exists(path)) {
        const Tokenizer tokenizer = Tokenizer::from_json(read_file(path), path);
        check(tokenizer.vocab_size() - 1 == config.entries &&
                  tokenizer.pre_tokenizer() == config.pre_tokenizer,
              "'{}' has {} entries with the pre-tokenizer {}, and the plan asks for {} with {}: "
              "choose "
              "another folder, since its runs use that one",
              path, tokenizer.vocab_size() - 1, setting_text(tokenizer.pre_tokenizer()),
              config.entries, setting_text(config.pre_tokenizer));
        return;
    }
    if (!needed) {
        return;
    }
    const StorySplit stories = read_split(config.data, config.valid, config.valid_share);
    const Tokenizer tokenizer = learn_tokenizer(config, stories.train.texts());
    check(tokenizer.vocab_size() - 1 == config.entries,
          "the text of the plan's base gives a tokenizer of {} entries and no more, instead of {}: "
          "set \"entries\" to that",
          tokenizer.vocab_size() - 1, config.entries);
    write_file(path, tokenizer.to_json());
    say("{}: a tokenizer of {} entries, for all runs", path, format_count(config.entries));
}

int64_t planned_vocabulary(const StudyPlan& plan, const std::string& folder) {
    const Config config = config_of(plan, "base", plan.base);
    if (const std::optional<Tokenizer> given = given_tokenizer(config)) {
        return given->vocab_size();
    }
    const std::string path = tokenizer_file(folder);
    return file_exists(path) ? Tokenizer::from_json(read_file(path), path).vocab_size()
                             : config.entries + 1;
}

}  // namespace smoe
