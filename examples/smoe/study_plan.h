// The plan of a study: arms x learning rates x seeds, in the language of the flags of `smoe train`.
// Everything that can be wrong with a plan or with one of its runs is found while it is read.
// Read next: study_runs.h, what has become of the runs; examples/README.md has a plan.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/training/config.h"

namespace smoe {

// Values by flag, without its dashes: {"data": {"a.txt", "b.txt"}, "hidden": {"512"}}.
using FlagValues = std::map<std::string, std::vector<std::string>>;

struct StudyArm {
    std::string name;  // a folder's
    std::string what;  // for people; may be ""
    FlagValues own;    // what it sets, as the plan has it
    FlagValues flags;  // the plan's base with its own values over them
    std::vector<double> lr;
    std::vector<uint64_t> seeds;
    bool swept = false;  // are the learning rates tried on a short horizon first?
};

struct StudyPlan {
    std::string path;
    FlagValues base;
    std::vector<StudyArm> arms;  // with different names
    int64_t sweep_steps = 0;     // 0: no sweep
    std::vector<uint64_t> sweep_seeds;
    std::string compare_to;  // an arm; "": none
};

// Reads {"base": {}, "arms": [{"name", "what", "set", "lr", "seeds"}], "lr": [], "seeds": [],
// "sweep": {"steps", "seeds"}, "compare_to"}. Relative paths in it start from its folder. Throws
// Error for a file that is no plan, for keys that no plan has and values that do not fit.
StudyPlan read_plan(const std::string& path);

enum class StudyPhase { sweep, full };
std::string phase_name(StudyPhase phase);

// A run that the plan may ask for: of an arm that is swept, only one learning rate is run in full.
struct StudyRun {
    size_t arm = 0;
    StudyPhase phase = StudyPhase::full;
    double lr = 0;
    uint64_t seed = 0;
    size_t turn = 0;       // place of the seed in its list; early turns are run first
    std::string path;      // its run directory: FOLDER/runs/ARM/lr_LR_seed_S
    FlagValues flags;      // all that `smoe train` is told beside the name of the run
    Config config;         // the same as settings
    std::string name;      // "dense, lr 0.004, seed 1"
    std::string settings;  // a fingerprint of `config`; see settings_fingerprint
};

// Every such run, in the order of arms, phases, learning rates and seeds. They share the tokenizer
// of the base, or `folder`/tokenizer.json. Sets the learning rate of arms for which the plan names
// none. Throws Error, naming the arm, for settings that `smoe train` would refuse.
std::vector<StudyRun> planned_runs(StudyPlan& plan, const std::string& folder);

// The words of `smoe train` that start a run, or go on with it.
std::vector<std::string> start_words(const StudyRun& run);
std::vector<std::string> resume_words(const StudyRun& run);

// Learns FOLDER/tokenizer.json from the base's training text if the base names none, it is not there,
// and it is `needed` for a run. Throws Error if what is there is not what the base asks for.
void provide_tokenizer(const StudyPlan& plan, const std::string& folder, bool needed);

// How many tokens the tokenizer of the runs has, end of text included, or will have once it is
// learned.
int64_t planned_vocabulary(const StudyPlan& plan, const std::string& folder);

}  // namespace smoe
