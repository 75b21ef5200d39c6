// Every setting of a run, in one struct and one table: reading and writing config.json, the flags
// of the program and their help all walk the same list of fields (visit_settings), so that a new
// setting is added in two places: the struct and the table. Refuses unknown keys and impossible
// values, with the nearest known name in the message.
// Read next: models/transformer/single_moe.h, which is built from it.
#pragma once

#include <fmt/core.h>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "models/transformer/decoder.h"
#include "nn/optim/optimizer.h"

namespace smoe {

// Sizes of a transformer.
struct Sizes {
    int64_t width = 512, layers = 8, heads = 8, hidden = 2048;
    double dropout = 0.1;
};

// The defaults are the paper-sized setting of the original.
struct Config {
    // model
    Sizes model;
    int64_t vocab_size = 0;  // from the tokenizer
    int64_t context = 251;   // most tokens of a sequence, the start token included

    // experts
    int64_t num_experts = 10;
    double mask_rate = 0.2;
    uint64_t mask_seed = 1;
    std::string mask_where = "both";

    // router
    std::string routing = "router";
    Sizes router{.width = 256, .layers = 8, .heads = 8, .hidden = 1024, .dropout = 0.1};
    int64_t router_steps = 1000;
    int64_t router_warmup = 500;

    // training
    uint64_t seed = 1;
    std::string optimizer = "schedule_free";
    OptimizerSettings optim{.warmup = 2500};
    int64_t batch = 80;  // stories in a step
    bool recompute = false;
    double clip = 0;  // most length of a gradient; 0: any
    int64_t steps = 10000;
    double minutes = 0;  // stop after this time, however many steps; 0: after `steps`
    int64_t log_every = 10, eval_every = 500, sample_every = 500, checkpoint_every = 500;
    int64_t eval_tokens = 200000;  // of the held-out text, spread evenly; 0: all

    // data
    std::vector<std::string> data, valid;
    double valid_share = 0.05;  // of the stories of `data`, where `valid` names none
    std::string tokenizer;      // a tokenizer.json to use; "": train one on the data
    int64_t entries = 2048;     // of the tokenizer to train, end of text not counted
    std::string pre_tokenizer = "gpt2";
    std::string long_stories = "cut";
    bool pad = false;

    std::string tokenizer_hash;  // of the tokenizer that belongs to the weights
    std::string valid_hash;      // of the held-out text; "": there is none, or it is not known
};

// One row of the table of settings.
struct Setting {
    const char* group;  // object of config.json that holds it
    const char* key;    // its name there
    const char* flag;   // of the program; "" where no flag sets it
    const char* help;
    std::vector<std::string> choices{};  // the only values, where given
};

// Calls visit(setting, field) for each field in order; field is an int64_t&, uint64_t&, double&,
// bool&, std::string& or std::vector<std::string>&, const where the Config is.
template <class AnyConfig, class Visit>
void visit_settings(AnyConfig& c, const Visit& visit);

// A field as a person reads it; several files with blanks between them.
std::string setting_text(const std::vector<std::string>& field);
template <class Field>
std::string setting_text(const Field& field) {
    return fmt::format("{}", field);
}

// Sizes by name: "tiny" (about 1 M parameters in the model), "small" (7 M), "paper" (27 M). Throws
// Error for others.
Config preset(const std::string& name);
std::vector<std::string> preset_names();

// Throws Error with the first setting that is out of range or does not fit another.
void check_config(const Config& config);

// An object for each group of settings, and before them the keys of a Hugging Face config.json
// (hidden_size, eos_token_id, ...), which follow from the settings.
std::string to_json(const Config& config);
// Reads what to_json wrote over `base`; the Hugging Face keys may be missing. Throws Error, naming
// `origin`, for text that is not JSON, unknown keys (with the nearest known one), values of the
// wrong type, and a Hugging Face key that contradicts the settings.
Config config_from_json(const std::string& json, const std::string& origin, Config base = {});

// Of the language model: as many outputs as tokens.
DecoderSettings model_settings(const Config& config);
// Of the router's network: as many outputs as experts. It runs dense, and is never recomputed.
DecoderSettings router_settings(const Config& config);
// The model's, but for the warm-up.
OptimizerSettings router_optimizer_settings(const Config& config);

template <class AnyConfig, class Visit>
void visit_settings(AnyConfig& c, const Visit& visit) {
    const auto sizes = [&](const char* group, auto& s, const std::array<const char*, 5>& flags) {
        visit(Setting{group, "width", flags[0], "width of the residual stream"}, s.width);
        visit(Setting{group, "layers", flags[1], "number of blocks"}, s.layers);
        visit(Setting{group, "heads", flags[2], "attention heads; must divide the width"}, s.heads);
        visit(Setting{group, "hidden", flags[3], "width of the feed-forward network"}, s.hidden);
        visit(Setting{group, "dropout", flags[4], "dropout on both branches of a block"},
              s.dropout);
    };
    sizes("model", c.model, {"--width", "--layers", "--heads", "--hidden", "--dropout"});
    visit(Setting{"model", "vocab_size", "", "tokens, end of text included"}, c.vocab_size);
    visit(Setting{"model", "context", "--context", "most tokens of a sequence"}, c.context);

    visit(Setting{"experts", "count", "--experts", "number of experts"}, c.num_experts);
    visit(Setting{"experts", "mask_rate", "--mask-rate", "share of neurons an expert switches off"},
          c.mask_rate);
    visit(Setting{"experts", "mask_seed", "--mask-seed", "seed of the masks"}, c.mask_seed);
    visit(Setting{"experts",
                  "mask_where",
                  "--mask-where",
                  "neurons that masks apply to",
                  {"hidden", "output", "both"}},
          c.mask_where);

    visit(Setting{"router",
                  "routing",
                  "--routing",
                  "who picks the expert of a token",
                  {"router", "hash", "random", "none"}},
          c.routing);
    sizes("router", c.router,
          {"--router-width", "--router-layers", "--router-heads", "--router-hidden",
           "--router-dropout"});
    visit(Setting{"router", "steps", "--router-steps", "steps after which the router is frozen"},
          c.router_steps);
    visit(Setting{"router", "warmup", "--router-warmup", "warm-up steps of the router's optimiser"},
          c.router_warmup);

    visit(Setting{"training", "seed", "--seed", "seed of weights, order of the data and dropout"},
          c.seed);
    visit(
        Setting{
            "training", "optimizer", "--optimizer", "optimiser", {"schedule_free", "adamw", "sgd"}},
        c.optimizer);
    visit(Setting{"training", "lr", "--lr", "learning rate"}, c.optim.lr);
    visit(Setting{"training", "beta1", "--beta1", "momentum"}, c.optim.beta1);
    visit(Setting{"training", "beta2", "--beta2", "memory of squared gradients"}, c.optim.beta2);
    visit(Setting{"training", "eps", "--eps", "added to the root of squared gradients"},
          c.optim.eps);
    visit(Setting{"training", "weight_decay", "--weight-decay", "decoupled weight decay"},
          c.optim.weight_decay);
    visit(Setting{"training", "warmup", "--warmup", "steps over which the learning rate rises"},
          c.optim.warmup);
    visit(Setting{"training", "clip", "--clip",
                  "longest gradient, longer ones are scaled to it; 0: none is"},
          c.clip);
    visit(Setting{"training", "batch", "--batch", "stories in a step"}, c.batch);
    visit(Setting{"training", "recompute", "--recompute",
                  "keep less for backward and compute it again: less memory, slower steps"},
          c.recompute);
    visit(Setting{"training", "steps", "--steps", "steps in all"}, c.steps);
    visit(Setting{"training", "minutes", "--minutes", "stop after this time; 0: after --steps"},
          c.minutes);
    visit(Setting{"training", "log_every", "--log-every", "steps between reports"}, c.log_every);
    visit(Setting{"training", "eval_every", "--eval-every",
                  "steps between evaluations; 0: only at the end"},
          c.eval_every);
    visit(Setting{"training", "sample_every", "--sample-every", "steps between samples; 0: never"},
          c.sample_every);
    visit(Setting{"training", "checkpoint_every", "--checkpoint-every",
                  "steps between checkpoints; 0: only at the end"},
          c.checkpoint_every);
    visit(Setting{"training", "eval_tokens", "--eval-tokens",
                  "held-out tokens in an evaluation while training; 0: all"},
          c.eval_tokens);

    visit(Setting{"data", "data", "--data", "training text: .txt, .jsonl or .csv"}, c.data);
    visit(Setting{"data", "valid", "--valid", "held-out text"}, c.valid);
    visit(Setting{"data", "valid_share", "--valid-share",
                  "share of the stories held out where --valid names no file"},
          c.valid_share);
    visit(Setting{"data", "tokenizer", "--tokenizer",
                  "tokenizer.json to use instead of training one"},
          c.tokenizer);
    visit(Setting{"data", "entries", "--entries", "vocabulary of the tokenizer to train"},
          c.entries);
    visit(Setting{"data",
                  "pre_tokenizer",
                  "--pre-tokenizer",
                  "gpt2: merges stay inside words; none: they may cross them",
                  {"gpt2", "none"}},
          c.pre_tokenizer);
    visit(Setting{"data",
                  "long_stories",
                  "--long",
                  "stories beyond the context",
                  {"cut", "split", "drop"}},
          c.long_stories);
    visit(
        Setting{"data", "pad", "--pad", "pad every story to the context and train on the padding"},
        c.pad);
    visit(Setting{"data", "tokenizer_hash", "", "hash of the tokenizer the weights belong to"},
          c.tokenizer_hash);
    visit(Setting{"data", "valid_hash", "", "hash of the held-out text"}, c.valid_hash);
}

}  // namespace smoe
