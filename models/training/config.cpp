// Presets, checks, JSON. The table of settings does the reading and writing; here stands what a
// table cannot say: which numbers fit together.
// Read next: examples/smoe/train.cpp, where the same table makes the flags.
#include "models/training/config.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/text.h"
#include "core/utf8.h"
#include "models/text/tokenizer.h"

namespace smoe {
namespace {

using Json = nlohmann::ordered_json;

// Is this a value for a field of type T? 16 will do for a double, but 16.0 for no whole number, and
// -1 for no seed.
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
    } else if constexpr (std::is_same_v<T, std::string>) {
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

// The keys by which Hugging Face tools know a model. They are no settings, but follow from them:
// written for those tools, and compared when read.
Json hugging_face_keys(const Config& config) {
    // Start, end and padding are one token, the last one; null until a tokenizer is chosen.
    const Json end_of_text = config.vocab_size > 0 ? Json(config.vocab_size - 1) : Json();
    return {{"architectures", Json::array({"SmoeForCausalLM"})},
            {"model_type", "smoe"},
            {"vocab_size", config.vocab_size},
            {"hidden_size", config.model.width},
            {"num_hidden_layers", config.model.layers},
            {"num_attention_heads", config.model.heads},
            {"intermediate_size", config.model.hidden},
            {"max_position_embeddings", config.context},
            {"layer_norm_eps", 1e-5},
            {"hidden_act", "relu"},
            {"tie_word_embeddings", false},
            {"bos_token_id", end_of_text},
            {"eos_token_id", end_of_text},
            {"pad_token_id", end_of_text},
            {"torch_dtype", "float32"}};
}

void require_utf8(const Setting& setting, const std::string& text) {
    check(valid_utf8(text), "{} '{}' is not valid UTF-8, which config.json needs: rename the file",
          setting.key, text);
}

}  // namespace

std::vector<std::string> preset_names() {
    return {"tiny", "small", "paper"};
}

std::string setting_text(const std::vector<std::string>& field) {
    return join(field, " ");
}

Config preset(const std::string& name) {
    Config c;
    if (name == "tiny") {
        c.model = {.width = 128, .layers = 4, .heads = 4, .hidden = 512, .dropout = 0.0};
        c.router = {.width = 64, .layers = 2, .heads = 2, .hidden = 256, .dropout = 0.0};
        c.context = 384;
        c.entries = 1024;
        c.batch = 8;
        c.optim.lr = 8e-3;
        c.optim.warmup = 150;
        c.router_steps = 200;
        c.router_warmup = 50;
        c.steps = 3000;
        c.eval_every = 250;
        c.sample_every = 250;
        c.checkpoint_every = 250;
        c.eval_tokens = 50000;
    } else if (name == "small") {
        c.model = {.width = 256, .layers = 8, .heads = 8, .hidden = 1024, .dropout = 0.1};
        c.router = {.width = 128, .layers = 4, .heads = 4, .hidden = 512, .dropout = 0.1};
        c.context = 320;
        c.batch = 32;
        c.optim.lr = 2e-3;
        c.optim.warmup = 500;
        c.router_steps = 500;
        c.router_warmup = 200;
    } else {
        check(name == "paper", "unknown preset '{}'; known are {}", name,
              join(preset_names(), ", "));
    }
    return c;
}

void check_config(const Config& config) {
    const auto range = [](auto value, auto low, auto high, const char* what) {
        check(value >= low && value <= high, "{} must be from {} to {}, found {}", what, low, high,
              value);
    };
    const auto at_least = [](int64_t low, int64_t value, const char* what) {
        check(value >= low, "{} must be at least {}, found {}", what, low, value);
    };
    constexpr int64_t most = int64_t(1) << 24;  // numbers up to here are exact as `real`
    for (const auto& [sizes, whose] :
         {std::pair(config.model, "the model's"), std::pair(config.router, "the router's")}) {
        range(sizes.width, int64_t(2), int64_t(1) << 16, fmt::format("{} width", whose).c_str());
        range(sizes.layers, int64_t(1), int64_t(1024), fmt::format("{} layers", whose).c_str());
        range(sizes.heads, int64_t(1), sizes.width, fmt::format("{} heads", whose).c_str());
        range(sizes.hidden, int64_t(1), int64_t(1) << 20, fmt::format("{} hidden", whose).c_str());
        check(sizes.width % sizes.heads == 0 && sizes.width % 2 == 0,
              "{} width must be even and a multiple of its heads, found {} and {}", whose,
              sizes.width, sizes.heads);
        check(sizes.dropout >= 0 && sizes.dropout < 1, "{} dropout must be in [0, 1), found {}",
              whose, sizes.dropout);
    }
    range(config.context, int64_t(3), int64_t(1) << 20, "context");
    range(config.vocab_size, int64_t(0), most, "vocab_size");
    range(config.num_experts, int64_t(1), int64_t(255), "experts");
    check(config.mask_rate >= 0 && config.mask_rate < 1, "mask_rate must be in [0, 1), found {}",
          config.mask_rate);
    at_least(0, config.router_steps, "router steps");
    at_least(0, config.router_warmup, "router warmup");
    range(config.batch, int64_t(1), most, "batch");
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
    range(config.entries, int64_t(256), int64_t(Tokenizer::max_entries), "entries");
    check_settings(config.optim);
    check(config.optimizer != "schedule_free" || config.optim.beta1 > 0,
          "schedule-free AdamW needs a beta1 above 0, found {}", config.optim.beta1);
    visit_settings(config, [](const Setting& setting, const auto& field) {
        if constexpr (std::is_same_v<std::decay_t<decltype(field)>, std::string>) {
            const auto& choices = setting.choices;
            check(choices.empty() ||
                      std::find(choices.begin(), choices.end(), field) != choices.end(),
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

std::string to_json(const Config& config) {
    Json root = hugging_face_keys(config);
    visit_settings(config, [&](const Setting& setting, const auto& field) {
        root[setting.group][setting.key] = field;
    });
    return root.dump(2) + "\n";
}

Config config_from_json(const std::string& json, const std::string& origin, Config base) {
    // A config is two levels deep; anything deeper than this is refused before it can exhaust the
    // stack.
    constexpr int deepest = 16;
    Json root;
    try {
        root = Json::parse(json, [&](int depth, Json::parse_event_t, Json&) {
            check(depth <= deepest, "'{}': nested too deeply for a config", origin);
            return true;
        });
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
    const Json derived = hugging_face_keys(base);
    std::vector<std::string> names;
    for (const auto& [key, value] : derived.items()) {
        names.push_back(key);
    }
    for (const auto& [group, keys] : known) {
        names.push_back(group);
    }
    for (const auto& [group, object] : root.items()) {
        if (derived.contains(group)) {
            continue;  // compared once the settings are known
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
            check(has_type<T>(value), "'{}': {}.{} has the wrong type: {}", origin, setting.group,
                  setting.key, value.dump(-1, ' ', false, Json::error_handler_t::replace));
            field = value.get<T>();
        }
    });
    try {
        check_config(base);
    } catch (const Error& error) {
        fail("'{}': {}", origin, error.what());
    }
    const Json expected = hugging_face_keys(base);
    for (const auto& [key, value] : expected.items()) {
        check(!root.contains(key) || root[key] == value,
              "'{}': {} must be {} as the settings have it, found {}: change the settings or leave "
              "it out",
              origin, key, value.dump(), root.value(key, Json()).dump());
    }
    return base;
}

namespace {

DecoderSettings decoder_settings(const Config& config, const Sizes& sizes, int64_t outputs) {
    const MaskWhere where = config.mask_where == "hidden"   ? MaskWhere::hidden
                            : config.mask_where == "output" ? MaskWhere::output
                                                            : MaskWhere::both;
    return {.vocab = config.vocab_size,
            .outputs = outputs,
            .context = config.context,
            .width = sizes.width,
            .layers = sizes.layers,
            .heads = sizes.heads,
            .hidden = sizes.hidden,
            .dropout = sizes.dropout,
            .num_experts = config.num_experts,
            .mask_rate = config.mask_rate,
            .mask_seed = config.mask_seed,
            .mask_where = where};
}

}  // namespace

DecoderSettings model_settings(const Config& config) {
    DecoderSettings settings = decoder_settings(config, config.model, config.vocab_size);
    settings.recompute = config.recompute;
    return settings;
}

DecoderSettings router_settings(const Config& config) {
    return decoder_settings(config, config.router, config.num_experts);
}

OptimizerSettings router_optimizer_settings(const Config& config) {
    OptimizerSettings settings = config.optim;
    settings.warmup = config.router_warmup;
    return settings;
}

}  // namespace smoe
