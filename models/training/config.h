// Every setting of a run: those of the model, how it is trained, and on what. Reading and writing
// config.json, the program's flags and what a resumed run may change all walk one table of fields
// (visit_settings). So a new setting is added to the struct, to the table, and to the program's
// list of flags.
// Read next: models/transformer/settings.h for the model's; trainer.h, which is built from it.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/enum_names.h"
#include "core/precision.h"
#include "models/text/dataset.h"
#include "models/transformer/routers/router.h"
#include "models/transformer/settings.h"
#include "nn/optim/optimizer.h"

namespace smoe {

// The defaults are the paper-sized setting of the original.
struct Config {
    ModelSettings model;

    // training
    uint64_t seed = 1;
    std::string optimizer = "schedule_free";
    OptimizerSettings optim{.warmup = 2500};
    int64_t batch = 80;                       // stories in a step
    int64_t shards = 1;                       // into which a batch is cut, see shards.h
    Precision exchange = Precision::float32;  // of the shards' gradients, see exchange.h
    bool recompute = false;
    Precision precision = Precision::float32;  // of large products in training
    double clip = 0;                           // greatest length of a gradient; 0: any
    int64_t steps = 10000;
    double minutes = 0;  // stop after this time, however many steps; 0: after `steps`
    int64_t log_every = 10, eval_every = 500, sample_every = 500, checkpoint_every = 500;
    int64_t eval_tokens = 200000;  // of the held-out text, spread evenly; 0: all

    // data
    std::vector<std::string> data, valid;
    double valid_share = 0.05;  // of the stories of `data`, where `valid` names none
    std::string tokenizer;      // a tokenizer.json to use; "": train one on the data
    int64_t entries = 2048;     // of the tokenizer to train, end of text not counted
    PreTokenizer pre_tokenizer = PreTokenizer::gpt2;
    LongStories long_stories = LongStories::cut;
    bool pad = false;
    std::string init;  // folder of the run or export whose weights it starts from; "": drawn

    std::string tokenizer_hash;  // of the tokenizer that belongs to the weights
    std::string valid_hash;      // of the held-out text; "": there is none, or it is not known
};

// One row of the table of settings.
struct Setting {
    const char* group;  // object of config.json that holds it
    const char* key;    // its name there
    // May change when a run is resumed: how long it runs, what is reported, how much is kept in
    // memory, and where the text lies. The text itself must be the same.
    bool free = false;
    std::vector<std::string> choices{};  // the only values, where given
    bool numbered = false;               // a choice may be followed by a colon and a number

    std::string name() const { return std::string(group) + "." + key; }
};

// Calls visit(setting, field) for each field in order. A field is an int64_t&, uint64_t&, double&,
// bool&, std::string&, std::vector<std::string>& or an enum with names; it is const if the Config
// is.
template <class AnyConfig, class Visit>
void visit_settings(AnyConfig& c, const Visit& visit);

// A field as people read it; several files have blanks between them.
std::string setting_text(const std::vector<std::string>& field);
template <class Field>
std::string setting_text(const Field& field);

// Settings by name, with the precision that is fastest here:
//     tiny           four disjoint experts chosen by a hash of the token (3.4 M parameters)
//     tiny_original  the original's experts and router at the same width (1 M)
//     small, paper   the original's at 7 M and, with its sizes, 27 M parameters
// Throws Error for other names.
Config preset(const std::string& name);
std::vector<std::string> preset_names();

// Throws Error naming the first setting that is out of range or does not fit another.
void check_config(const Config& config);

// The keys of a Hugging Face config.json (hidden_size, eos_token_id, ...), which follow from the
// settings and from what the weights are stored in, and after them an object for each group of
// settings.
std::string to_json(const Config& config, Precision weights = Precision::float32);
// Reads what to_json wrote over `base`; the Hugging Face keys may be missing. Throws Error, naming
// `origin`, for text that is not JSON, for unknown keys (with the nearest known one), for a key that
// is given twice, for values of the wrong type, and for a Hugging Face key that contradicts the
// settings.
Config config_from_json(const std::string& json, const std::string& origin, Config base = {});

// The same with file names in place of paths, so that it says nothing of this machine's folders.
Config without_folders(Config config);

// Every setting that a run keeps from its first step to its last, as one JSON object without paths.
// It is part of a state.
std::string fixed_settings(const Config& config);
// Throws Error, naming `origin` and the first setting that differs, unless the settings are those
// of a state. `fixed` is what fixed_settings gave when the state was saved.
void require_fixed_settings(const Config& config, const std::string& fixed,
                            const std::string& origin);

// How a configuration reads its text.
DatasetSettings dataset_settings(const Config& config);
// How the model is trained; a schedule ends with the run.
OptimizerSettings model_optimizer_settings(const Config& config);
// The same except for the warm-up and the end of a schedule, which is where the router is frozen.
OptimizerSettings router_optimizer_settings(const Config& config);

template <class Field>
std::string setting_text(const Field& field) {
    if constexpr (std::is_enum_v<Field>) {
        return name_of(field);
    } else {
        return fmt::format("{}", field);
    }
}

template <class AnyConfig, class Visit>
void visit_settings(AnyConfig& c, const Visit& visit) {
    const auto sizes = [&](const char* group, auto& s) {
        visit(Setting{group, "width"}, s.width);
        visit(Setting{group, "layers"}, s.layers);
        visit(Setting{group, "heads"}, s.heads);
        visit(Setting{group, "hidden"}, s.hidden);
        visit(Setting{group, "dropout"}, s.dropout);
    };
    const auto one_of = [&](const char* group, const char* key, auto& field) {
        visit(Setting{group, key, false, names_of<std::decay_t<decltype(field)>>()}, field);
    };
    constexpr bool free = true;
    sizes("model", c.model.sizes);
    visit(Setting{"model", "vocab_size"}, c.model.vocab_size);
    visit(Setting{"model", "context"}, c.model.context);
    visit(Setting{"model", "token_input"}, c.model.token_input);

    visit(Setting{"experts", "count"}, c.model.experts.count);
    visit(Setting{"experts", "mask_family", false, mask_families().names(), true},
          c.model.experts.mask_family);
    visit(Setting{"experts", "mask_rate"}, c.model.experts.mask_rate);
    visit(Setting{"experts", "mask_seed"}, c.model.experts.mask_seed);
    one_of("experts", "mask_where", c.model.experts.mask_where);
    one_of("experts", "mask_scale", c.model.experts.mask_scale);
    visit(Setting{"experts", "feed_forward", false, feed_forward_kinds().names()},
          c.model.experts.feed_forward);

    visit(Setting{"router", "routing", false, router_kinds().names()}, c.model.router.kind);
    sizes("router", c.model.router.sizes);
    visit(Setting{"router", "steps"}, c.model.router.steps);
    visit(Setting{"router", "warmup"}, c.model.router.warmup);
    visit(Setting{"router", "gate_lr"}, c.model.router.gate_lr);
    visit(Setting{"router", "balance"}, c.model.router.balance);
    visit(Setting{"router", "balance_steps"}, c.model.router.balance_steps);

    visit(Setting{"training", "seed"}, c.seed);
    visit(Setting{"training", "optimizer", false, optimizer_kinds()}, c.optimizer);
    visit(Setting{"training", "lr"}, c.optim.lr);
    visit(Setting{"training", "beta1"}, c.optim.beta1);
    visit(Setting{"training", "beta2"}, c.optim.beta2);
    visit(Setting{"training", "eps"}, c.optim.eps);
    visit(Setting{"training", "weight_decay"}, c.optim.weight_decay);
    visit(Setting{"training", "warmup"}, c.optim.warmup);
    one_of("training", "schedule", c.optim.schedule);
    visit(Setting{"training", "clip"}, c.clip);
    visit(Setting{"training", "batch"}, c.batch);
    visit(Setting{"training", "shards"}, c.shards);
    one_of("training", "exchange", c.exchange);
    visit(Setting{"training", "recompute", free}, c.recompute);
    one_of("training", "precision", c.precision);
    // A schedule follows from the number of steps.
    visit(Setting{"training", "steps", c.optim.schedule == Schedule::constant}, c.steps);
    visit(Setting{"training", "minutes", free}, c.minutes);
    visit(Setting{"training", "log_every", free}, c.log_every);
    visit(Setting{"training", "eval_every", free}, c.eval_every);
    visit(Setting{"training", "sample_every", free}, c.sample_every);
    visit(Setting{"training", "checkpoint_every", free}, c.checkpoint_every);
    visit(Setting{"training", "eval_tokens", free}, c.eval_tokens);

    visit(Setting{"data", "data", free}, c.data);
    visit(Setting{"data", "valid", free}, c.valid);
    visit(Setting{"data", "valid_share"}, c.valid_share);
    visit(Setting{"data", "tokenizer"}, c.tokenizer);
    visit(Setting{"data", "entries"}, c.entries);
    one_of("data", "pre_tokenizer", c.pre_tokenizer);
    one_of("data", "long_stories", c.long_stories);
    visit(Setting{"data", "pad"}, c.pad);
    visit(Setting{"data", "init"}, c.init);
    visit(Setting{"data", "tokenizer_hash"}, c.tokenizer_hash);
    visit(Setting{"data", "valid_hash"}, c.valid_hash);
}

}  // namespace smoe
