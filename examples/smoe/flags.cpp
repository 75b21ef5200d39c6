// The list of flags, and how the parser fills a Config from them. A setting without a row is set
// only by training itself.
// Read next: train.cpp.
#include "examples/smoe/flags.h"

#include <algorithm>
#include <memory>

#include "core/text.h"
#include "examples/smoe/options.h"

namespace smoe {
namespace {

struct Flag {
    const char *setting, *flag, *help;
};

constexpr Flag flags[] = {
    {"model.width", "--width", "width of the residual stream"},
    {"model.layers", "--layers", "number of blocks"},
    {"model.heads", "--heads", "attention heads; must divide the width"},
    {"model.hidden", "--hidden", "width of the feed-forward network"},
    {"model.dropout", "--dropout", "dropout on both branches of a block"},
    {"model.context", "--context", "most tokens of a sequence"},
    {"model.token_input", "--token-input",
     "give each feed-forward network the token's embedding again"},

    {"experts.count", "--experts", "number of experts"},
    {"experts.mask_family", "--mask-family",
     "how an expert's neurons are chosen; shared, blocks and overlap take a number: shared:0.25"},
    {"experts.mask_rate", "--mask-rate", "share of neurons an expert switches off"},
    {"experts.mask_seed", "--mask-seed", "seed of the masks"},
    {"experts.mask_where", "--mask-where", "neurons that masks apply to"},
    {"experts.mask_scale", "--mask-scale",
     "factor of kept neurons: 1 over the share that is kept, 1 over its root, or one"},
    {"experts.feed_forward", "--feed-forward", "kind of the blocks' feed-forward network"},

    {"router.routing", "--routing", "who picks the expert of a token"},
    {"router.width", "--router-width", "width of the router's residual stream"},
    {"router.layers", "--router-layers", "the router's number of blocks"},
    {"router.heads", "--router-heads", "the router's attention heads; must divide its width"},
    {"router.hidden", "--router-hidden", "width of the router's feed-forward network"},
    {"router.dropout", "--router-dropout", "dropout in the router's blocks"},
    {"router.steps", "--router-steps", "steps after which the router is frozen"},
    {"router.warmup", "--router-warmup", "warm-up steps of the router's optimiser"},
    {"router.gate_lr", "--gate-lr", "learning rate of gates, times the model's"},
    {"router.balance", "--balance", "by which a gate's bias moves in a step, to keep experts busy"},
    {"router.balance_steps", "--balance-steps", "steps over which a gate counts its rows"},

    {"training.seed", "--seed", "seed of weights, order of the data and dropout"},
    {"training.optimizer", "--optimizer", "optimiser"},
    {"training.lr", "--lr", "learning rate"},
    {"training.beta1", "--beta1", "momentum"},
    {"training.beta2", "--beta2", "memory of squared gradients"},
    {"training.eps", "--eps", "added to the root of squared gradients"},
    {"training.weight_decay", "--weight-decay", "weight decay; decoupled but for sgd"},
    {"training.warmup", "--warmup", "steps over which the learning rate rises"},
    {"training.schedule", "--schedule",
     "learning rate after the warm-up; cosine and linear fall to 0 at --steps"},
    {"training.clip", "--clip", "longest gradient, longer ones are scaled to it; 0: none is"},
    {"training.batch", "--batch", "stories in a step"},
    {"training.shards", "--shards",
     "into which a batch is cut; only one is in memory at a time, and processes share them"},
    {"training.exchange", "--exchange",
     "what processes send of the shards' gradients: bfloat16 halves the bytes, and rounds"},
    {"training.recompute", "--recompute",
     "keep less for backward and compute it again: less memory, slower steps"},
    {"training.precision", "--precision", "what products in training round their factors to"},
    {"training.steps", "--steps", "steps in all"},
    {"training.minutes", "--minutes",
     "stop after so many minutes, on --resume after so many more; 0: after --steps"},
    {"training.log_every", "--log-every", "steps between reports"},
    {"training.eval_every", "--eval-every", "steps between evaluations; 0: only at the end"},
    {"training.sample_every", "--sample-every", "steps between samples; 0: never"},
    {"training.checkpoint_every", "--checkpoint-every",
     "steps between checkpoints; 0: only at the end"},
    {"training.eval_tokens", "--eval-tokens",
     "held-out tokens in an evaluation while training; 0: all"},

    {"data.data", "--data",
     "training text: .txt, .jsonl, .csv or .tsv; or .tokens that smoe tokenize made of it"},
    {"data.valid", "--valid", "held-out text, likewise"},
    {"data.valid_share", "--valid-share",
     "share of each domain's stories held out where --valid names no file"},
    {"data.tokenizer", "--tokenizer",
     "tokenizer.json to use instead of training one; .tokens files have it inside"},
    {"data.entries", "--entries", "vocabulary of the tokenizer to train"},
    {"data.pre_tokenizer", "--pre-tokenizer",
     "gpt2: merges stay inside words; none: they may cross them"},
    {"data.long_stories", "--long", "stories beyond the context"},
    {"data.pad", "--pad", "pad every story to the context and train on the padding"},
    {"data.init", "--init",
     "folder of a run or an export to start from: its weights, sizes, tokenizer and router, which "
     "learns no more unless --router-steps says so"}};

const Flag* find(const Setting& setting) {
    const auto* const found = std::ranges::find_if(
        flags, [&](const Flag& flag) { return setting.name() == flag.setting; });
    return found == std::end(flags) ? nullptr : found;
}

// "[128]", or "[tiny 128, small 256, paper 512]" if presets differ.
std::string defaults_of(const std::string& name) {
    std::vector<std::string> values;
    for (const std::string& preset_name : preset_names()) {
        const Config config = preset(preset_name);
        visit_settings(config, [&](const Setting& setting, const auto& field) {
            if (setting.name() == name) {
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

}  // namespace

std::string flag_of(const Setting& setting) {
    const Flag* const flag = find(setting);
    return flag != nullptr ? flag->flag : "";
}

std::string help_of(const Setting& setting) {
    const Flag* const flag = find(setting);
    return flag != nullptr ? flag->help : "";
}

std::string flag_or_name(const Setting& setting) {
    const std::string flag = flag_of(setting);
    return flag.empty() ? setting.name() : flag;
}

std::vector<Difference> differences(const Config& first, const Config& second) {
    std::vector<std::string> texts;
    visit_settings(
        first, [&](const Setting&, const auto& field) { texts.push_back(setting_text(field)); });
    std::vector<Difference> found;
    size_t i = 0;
    visit_settings(second, [&](const Setting& setting, const auto& field) {
        if (const std::string text = setting_text(field); text != texts[i]) {
            found.push_back({setting, texts[i], text});
        }
        ++i;
    });
    return found;
}

std::string masked_neurons(MaskWhere where) {
    return where == MaskWhere::both ? "hidden and output" : setting_text(where);
}

std::function<void(Config&)> add_setting_flags(Arguments arguments) {
    auto parsed = std::make_shared<Config>();  // where the parser puts what is given
    auto given = std::make_shared<std::vector<std::pair<std::string, Option>>>();
    visit_settings(*parsed, [&](const Setting& setting, auto& field) {
        using T = std::decay_t<decltype(field)>;
        const Flag* const flag = find(setting);
        if (flag == nullptr) {
            return;
        }
        const std::string help = flag->help + defaults_of(setting.name());
        const Option option = [&] {
            if constexpr (std::is_same_v<T, bool>) {
                return arguments.flag(flag->flag, field, flag->help);
            } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
                return arguments.paths(flag->flag, field, flag->help);
            } else if constexpr (std::is_enum_v<T>) {
                return arguments.choice(
                    flag->flag, [&field](const std::string& text) { field = enum_named<T>(text); },
                    setting.choices, help);
            } else if constexpr (std::is_same_v<T, std::string>) {
                return setting.choices.empty()
                           ? arguments.path(flag->flag, field, help)
                           : arguments.choice(
                                 flag->flag, [&field](const std::string& text) { field = text; },
                                 setting.choices, help, setting.numbered);
            } else {
                return arguments.number(flag->flag, field, help).default_shown("");
            }
        }();
        option.group(std::string("Settings: ") + setting.group);
        given->emplace_back(setting.name(), option);
    });
    return [parsed, given](Config& config) {
        for (const auto& [name, option] : *given) {
            if (!option.given()) {
                continue;
            }
            visit_settings(*parsed, [&, &name = name](const Setting& setting, const auto& field) {
                visit_settings(config, [&](const Setting& other, auto& target) {
                    if constexpr (std::is_same_v<std::decay_t<decltype(target)>,
                                                 std::decay_t<decltype(field)>>) {
                        if (setting.name() == name && other.name() == name) {
                            target = field;
                        }
                    }
                });
            });
        }
    };
}

}  // namespace smoe
