// Presets, checks, JSON. The table of settings does the reading and writing. This file has what a
// table cannot say: which numbers fit together.
// Read next: examples/smoe/train.cpp, where the same table makes the flags.
#include "models/training/config.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/check.h"
#include "core/file.h"
#include "core/json.h"
#include "core/text.h"
#include "core/utf8.h"
#include "models/text/tokenizer.h"

namespace smoe {
namespace {

using Json = nlohmann::ordered_json;

// Is this a value for a field of type T? A double takes 16, but a whole number does not take 16.0,
// and a seed does not take -1.
template <class T>
bool has_type(const Json& value) {
    if constexpr (std::is_same_v<T, bool>) {
        return value.is_boolean();
    } else if constexpr (std::is_same_v<T, uint64_t>) {
        return value.is_number_unsigned();
    } else if constexpr (std::is_same_v<T, int64_t>) {
        return value.is_number_integer() &&
               (!value.is_number_unsigned() || value.get<uint64_t>() <= INT64_MAX);
    } else if constexpr (std::is_same_v<T, double>) {
        return value.is_number();
    } else if constexpr (std::is_same_v<T, std::string> || std::is_enum_v<T>) {
        return value.is_string();
    } else {
        return value.is_array() &&
               std::all_of(value.begin(), value.end(), [](const Json& v) { return v.is_string(); });
    }
}

[[noreturn]] void unknown_key(const std::string& origin, const std::string& what,
                              const std::string& key, const std::vector<std::string>& known) {
    const std::string nearest = nearest_name(key, known);
    fail("'{}': unknown {} '{}'{}", origin, what, key,
         nearest.empty() ? "; known are " + join(known, ", ")
                         : fmt::format("; did you mean '{}'?", nearest));
}

// The keys by which Hugging Face tools know a model. They are not settings, but follow from them:
// they are written for those tools and compared when read.
Json hugging_face_keys(const ModelSettings& model, Precision weights) {
    // Start, end and padding are the same token, the last one. It is null until a tokenizer is
    // chosen.
    const Json end_of_text = model.vocab_size > 0 ? Json(model.vocab_size - 1) : Json();
    return {{"architectures", Json::array({"SmoeForCausalLM"})},
            {"model_type", "smoe"},
            {"vocab_size", model.vocab_size},
            {"hidden_size", model.sizes.width},
            {"num_hidden_layers", model.sizes.layers},
            {"num_attention_heads", model.sizes.heads},
            {"intermediate_size", model.sizes.hidden},
            {"max_position_embeddings", model.context},
            {"layer_norm_eps", 1e-5},
            {"hidden_act", "relu"},
            {"tie_word_embeddings", false},
            {"bos_token_id", end_of_text},
            {"eos_token_id", end_of_text},
            {"pad_token_id", end_of_text},
            {"torch_dtype", name_of(weights)}};
}

// Keys that Hugging Face tools add when they save a model. They say nothing of how it computes.
bool is_of_others(const std::string& key) {
    static const std::set<std::string> keys = {"auto_map", "dtype", "transformers_version",
                                               "use_cache", "_name_or_path"};
    return keys.contains(key);
}

void require_utf8(const Setting& setting, const std::string& text) {
    check(valid_utf8(text), "{} '{}' is not valid UTF-8, which config.json needs: rename the file",
          setting.key, text);
}

}  // namespace

std::vector<std::string> preset_names() {
    return {"tiny", "tiny_original", "small", "paper"};
}

std::string setting_text(const std::vector<std::string>& field) {
    return join(field, " ");
}

Config preset(const std::string& name) {
    Config c;
    c.precision = fastest_precision();
    if (name == "tiny" || name == "tiny_original") {
        c.model.sizes = {.width = 128, .layers = 4, .heads = 4, .hidden = 512, .dropout = 0.0};
        c.model.router.sizes = {
            .width = 64, .layers = 2, .heads = 2, .hidden = 256, .dropout = 0.0};
        c.model.context = 384;
        c.entries = 1024;
        c.batch = 8;
        c.optim.lr = 8e-3;
        c.optim.warmup = 150;
        c.model.router.steps = 200;
        c.model.router.warmup = 50;
        c.steps = 3000;
        c.eval_every = 250;
        c.sample_every = 250;
        c.checkpoint_every = 250;
        c.eval_tokens = 50000;
        if (name == "tiny") {
            // What the study found best for the time that it takes: examples/study/README.md.
            c.model.sizes.hidden = 2048;
            c.model.experts.count = 4;
            c.model.experts.mask_family = "partition";
            c.model.experts.mask_rate = 0.75;
            c.model.experts.mask_where = MaskWhere::hidden;
            c.model.experts.mask_scale = MaskScale::root;
            c.model.router.kind = "hash";
            c.entries = 4096;
            c.optim.lr = 5e-3;
        }
    } else if (name == "small") {
        c.model.sizes = {.width = 256, .layers = 8, .heads = 8, .hidden = 1024, .dropout = 0.1};
        c.model.router.sizes = {
            .width = 128, .layers = 4, .heads = 4, .hidden = 512, .dropout = 0.1};
        c.model.context = 320;
        c.batch = 32;
        c.optim.lr = 2e-3;
        c.optim.warmup = 500;
        c.model.router.steps = 500;
        c.model.router.warmup = 200;
    } else {
        check(name == "paper", "unknown preset '{}'; known are {}", name,
              join(preset_names(), ", "));
    }
    return c;
}

void check_config(const Config& config) {
    check_settings(config.model);
    const auto range = [](int64_t value, int64_t low, int64_t high, const char* what) {
        check(value >= low && value <= high, "{} must be from {} to {}, found {}", what, low, high,
              value);
    };
    const auto at_least = [](int64_t low, int64_t value, const char* what) {
        check(value >= low, "{} must be at least {}, found {}", what, low, value);
    };
    range(config.batch, 1, int64_t(1) << 24, "batch");
    check(config.shards >= 1 && config.shards <= config.batch,
          "shards must be from 1 to {}, the stories of a batch, found {}", config.batch,
          config.shards);
    at_least(1, config.steps, "steps");
    check(std::isfinite(config.clip) && config.clip >= 0, "clip must not be negative, found {}",
          config.clip);
    check(std::isfinite(config.minutes) && config.minutes >= 0,
          "minutes must not be negative, found {}", config.minutes);
    at_least(1, config.log_every, "log_every");
    at_least(0, config.eval_every, "eval_every");
    at_least(0, config.sample_every, "sample_every");
    at_least(0, config.checkpoint_every, "checkpoint_every");
    at_least(0, config.eval_tokens, "eval_tokens");
    check(config.valid_share > 0 && config.valid_share < 1,
          "valid_share must be in (0, 1), found {}", config.valid_share);
    range(config.entries, 256, Tokenizer::max_entries, "entries");
    check_settings(model_optimizer_settings(config));
    if (const Schedule schedule = config.optim.schedule; schedule != Schedule::constant) {
        check(config.optimizer != "schedule_free",
              "the schedule {} is for adamw and sgd: schedule_free averages its weights instead of "
              "lowering the learning rate",
              setting_text(schedule));
        check(config.minutes == 0,
              "the schedule {} needs a number of steps: with minutes, nobody knows how many there "
              "will be",
              setting_text(schedule));
    }
    check(config.optimizer != "schedule_free" || config.optim.beta1 > 0,
          "schedule-free AdamW needs a beta1 above 0, found {}", config.optim.beta1);
    visit_settings(config, [](const Setting& setting, const auto& field) {
        if constexpr (std::is_same_v<std::decay_t<decltype(field)>, std::string>) {
            const auto& choices = setting.choices;
            const std::string name =
                setting.numbered ? split_number(setting.key, field).name : field;
            check(
                choices.empty() || std::find(choices.begin(), choices.end(), name) != choices.end(),
                "{} must be one of {}, found '{}'", setting.key, join(choices, ", "), field);
            require_utf8(setting, field);
        } else if constexpr (std::is_same_v<std::decay_t<decltype(field)>,
                                            std::vector<std::string>>) {
            for (const std::string& name : field) {
                require_utf8(setting, name);
            }
        }
    });
}

std::string to_json(const Config& config, Precision weights) {
    Json root = hugging_face_keys(config.model, weights);
    visit_settings(config, [&](const Setting& setting, const auto& field) {
        if constexpr (std::is_enum_v<std::decay_t<decltype(field)>>) {
            root[setting.group][setting.key] = setting_text(field);
        } else {
            root[setting.group][setting.key] = field;
        }
    });
    return root.dump(2) + "\n";
}

Config config_from_json(const std::string& json, const std::string& origin, Config base) {
    constexpr int max_depth = 16;  // three levels are needed
    Json root;
    try {
        root = parse_json<Json>(json, max_depth,
                                [&](const std::string& why) { fail("'{}': {}", origin, why); });
    } catch (const Json::parse_error& error) {
        const size_t read = std::min(error.byte, json.size());
        fail("'{}' line {}: this is not valid JSON", origin,
             1 + std::count(json.begin(), json.begin() + ptrdiff_t(read), '\n'));
    } catch (const Json::exception&) {
        fail("'{}' is not valid JSON: a number is out of range", origin);
    }
    check(root.is_object(), "'{}': expected an object of settings", origin);

    std::map<std::string, std::vector<std::string>> known;
    visit_settings(
        base, [&](const Setting& setting, auto&) { known[setting.group].push_back(setting.key); });
    const Json derived = hugging_face_keys(base.model, Precision::float32);
    std::vector<std::string> names;
    for (const auto& [key, value] : derived.items()) {
        names.push_back(key);
    }
    for (const auto& [group, keys] : known) {
        names.push_back(group);
    }
    for (const auto& [group, object] : root.items()) {
        if (derived.contains(group) || is_of_others(group)) {
            continue;  // the former are compared once the settings are known
        }
        if (!known.contains(group)) {
            unknown_key(origin, "key", group, names);
        }
        check(object.is_object(), "'{}': '{}' must be an object", origin, group);
        for (const auto& [key, value] : object.items()) {
            const std::vector<std::string>& keys = known.at(group);
            if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
                unknown_key(origin, fmt::format("setting in '{}':", group), key, keys);
            }
        }
    }
    visit_settings(base, [&](const Setting& setting, auto& field) {
        using T = std::decay_t<decltype(field)>;
        if (root.contains(setting.group) && root[setting.group].contains(setting.key)) {
            const Json& value = root[setting.group][setting.key];
            check(has_type<T>(value), "'{}': {} has the wrong type: {}", origin, setting.name(),
                  value.dump(-1, ' ', false, Json::error_handler_t::replace));
            if constexpr (std::is_enum_v<T>) {
                try {
                    field = enum_named<T>(value.get<std::string>());
                } catch (const Error& error) {
                    fail("'{}': {}: {}", origin, setting.name(), error.what());
                }
            } else {
                field = value.get<T>();
            }
        }
    });
    try {
        check_config(base);
    } catch (const Error& error) {
        fail("'{}': {}", origin, error.what());
    }
    const bool halved = root.value("torch_dtype", Json()) == name_of(Precision::bfloat16);
    const Json expected =
        hugging_face_keys(base.model, halved ? Precision::bfloat16 : Precision::float32);
    for (const auto& [key, value] : expected.items()) {
        check(!root.contains(key) || root[key] == value,
              "'{}': {} must be {} as the settings have it, found {}: change the settings or leave "
              "it out",
              origin, key, value.dump(), root.value(key, Json()).dump());
    }
    return base;
}

Config without_folders(Config config) {
    for (std::vector<std::string>* names : {&config.data, &config.valid}) {
        std::transform(names->begin(), names->end(), names->begin(), file_name);
    }
    config.tokenizer = file_name(config.tokenizer);
    config.init = file_name(config.init);
    return config;
}

namespace {

std::map<std::string, std::string> fixed_texts(const Config& config) {
    std::map<std::string, std::string> texts;
    visit_settings(config, [&](const Setting& setting, const auto& field) {
        const std::string name = setting.name();
        // The held-out text has no bearing on a step, and the tokenizer is known by its hash.
        if (!setting.free && name != "data.tokenizer" && name != "data.valid_hash") {
            texts[name] = setting_text(field);
        }
    });
    return texts;
}

}  // namespace

std::string fixed_settings(const Config& config) {
    return Json(fixed_texts(config)).dump();
}

void require_fixed_settings(const Config& config, const std::string& fixed,
                            const std::string& origin) {
    const Json stored = parse_json_or_null<Json>(fixed, 1);
    check(stored.is_object(), "'{}': its settings are not readable", origin);
    const std::map<std::string, std::string> own = fixed_texts(config);
    // A setting that is younger than the state had the effect of its default.
    const std::map<std::string, std::string> defaults = fixed_texts(Config{});
    for (const auto& [name, text] : own) {
        const auto found = stored.find(name);
        const Json made_with = found == stored.end() ? Json(defaults.at(name)) : *found;
        check(
            made_with == text,
            "'{}' was made with {} {}, config.json says {} now: put that back, or start a new run",
            origin, name, made_with.dump(), Json(text).dump());
    }
    for (const auto& [name, text] : stored.items()) {
        check(own.contains(name), "'{}' was made with the setting {}, which this version lacks",
              origin, name);
    }
}

DatasetSettings dataset_settings(const Config& config) {
    return {.context = int(config.model.context),
            .long_stories = config.long_stories,
            .pad = config.pad,
            .batch = int(config.batch),
            .seed = config.seed};
}

OptimizerSettings model_optimizer_settings(const Config& config) {
    OptimizerSettings settings = config.optim;
    settings.steps = config.steps;
    return settings;
}

OptimizerSettings router_optimizer_settings(const Config& config) {
    OptimizerSettings settings = config.optim;
    settings.warmup = config.model.router.warmup;
    settings.steps = std::min(config.steps, std::max<int64_t>(1, config.model.router.steps));
    return settings;
}

}  // namespace smoe
