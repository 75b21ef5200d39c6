// The table of settings: what presets promise, what JSON keeps, and what is refused. The tests look
// for each field in what is written, so that none is forgotten.
// Read next: tests/models/transformer/decoder_test.cpp.
#include "models/training/config.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "core/check.h"
#include "models/transformer/single_moe.h"

namespace smoe {
namespace {

Config read(const std::string& json) {
    return config_from_json(json, "some.json");
}

void check_refused(const std::string& json, const std::string& part) {
    CAPTURE(json.substr(0, 80));
    CHECK_THROWS_WITH_AS(read(json), doctest::Contains(part.c_str()), Error);
    CHECK_THROWS_WITH_AS(read(json), doctest::Contains("'some.json'"), Error);
}

void check_impossible(const char* part, const std::function<void(Config&)>& spoil) {
    Config config = preset("tiny_original");
    CHECK_NOTHROW(check_config(config));
    spoil(config);
    CHECK_THROWS_WITH_AS(check_config(config), doctest::Contains(part), Error);
}

}  // namespace

TEST_CASE("config: presets have the sizes they promise") {
    const std::vector<std::pair<std::string, double>> promised = {
        {"tiny", 3.4e6}, {"tiny_original", 1e6}, {"small", 8e6}, {"paper", 28e6}};
    CHECK(preset_names() == std::vector<std::string>{"tiny", "tiny_original", "small", "paper"});
    for (const auto& row : promised) {
        const auto& [name, parameters] = row;
        Config config = preset(name);
        CHECK_NOTHROW(check_config(config));
        config.model.vocab_size = config.entries + 1;
        const DecoderSettings m = model_decoder(config.model);
        // What dominates a decoder: four square matrices of attention and two of the feed-forward
        // network in each block, and the tables of tokens.
        const double blocks =
            double(m.layers) * double(m.width) * (4 * double(m.width) + 2 * double(m.hidden));
        const double count = blocks + 2 * double(m.vocab) * double(m.width);
        CAPTURE(row.first);
        CHECK(count > 0.7 * parameters);
        CHECK(count < 1.4 * parameters);
    }
    Config tiny = preset("tiny_original");
    tiny.model.vocab_size = tiny.entries + 1;
    const int64_t exact = SingleMoe(tiny.model, tiny.seed).model.parameter_count();
    CHECK(exact > 900'000);
    CHECK(exact < 1'300'000);
    CHECK_THROWS_WITH_AS(preset("huge"), doctest::Contains("tiny, tiny_original, small, paper"),
                         Error);
}

TEST_CASE("config: every preset survives JSON, and every field is in it") {
    for (const std::string& name : preset_names()) {
        Config config = preset(name);
        config.data = {"a.txt", "b \"quoted\".txt"};
        config.seed = UINT64_MAX;
        config.optim.lr = 0.1;  // not exact in binary
        config.pad = true;
        const std::string json = to_json(config);
        const Config back = read(json);
        CHECK(to_json(back) == json);
        CHECK(back.seed == UINT64_MAX);
        CHECK(back.optim.lr == 0.1);
        CHECK(back.data == config.data);
        CHECK(back.model.sizes.width == config.model.sizes.width);
        // Over another base nothing of the base is left.
        CHECK(to_json(config_from_json(json, "x", preset("paper"))) == json);
    }
    // What the file does not name stays as it was.
    const Config some =
        config_from_json(R"({"model": {"width": 64}})", "x", preset("tiny_original"));
    CHECK(some.model.sizes.width == 64);
    CHECK(some.model.context == preset("tiny_original").model.context);
    CHECK(to_json(read("{}")) == to_json(Config()));
}

TEST_CASE("config: without folders, every name of a file is only that") {
    Config config;
    visit_settings(config, [](const Setting& setting, auto& field) {
        using T = std::decay_t<decltype(field)>;
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
            field = {"/home/me/a.txt", "texts/b.txt", "c.txt"};
        } else if constexpr (std::is_same_v<T, std::string>) {
            if (setting.choices.empty() && !setting.name().ends_with("_hash")) {
                field = "/home/me/d.json";
            }
        }
    });
    const Config published = without_folders(config);
    CHECK(published.data == std::vector<std::string>{"a.txt", "b.txt", "c.txt"});
    CHECK(published.tokenizer == "d.json");
    // No setting was forgotten, one that is yet to come neither.
    visit_settings(published, [](const Setting& setting, const auto& field) {
        INFO(setting.name());
        CHECK(setting_text(field).find('/') == std::string::npos);
    });
    CHECK(to_json(without_folders(Config())) == to_json(Config()));
    CHECK(to_json(read(to_json(published))) == to_json(published));
}

TEST_CASE("config: Hugging Face keys follow from the settings") {
    Config config = preset("tiny_original");
    config.model.vocab_size = 1025;
    const auto json = nlohmann::ordered_json::parse(to_json(config));
    const nlohmann::ordered_json expected = {
        {"architectures", nlohmann::json::array({"SmoeForCausalLM"})},
        {"model_type", "smoe"},
        {"vocab_size", 1025},
        {"hidden_size", 128},
        {"num_hidden_layers", 4},
        {"num_attention_heads", 4},
        {"intermediate_size", 512},
        {"max_position_embeddings", 384},
        {"layer_norm_eps", 1e-5},
        {"hidden_act", "relu"},
        {"tie_word_embeddings", false},
        {"bos_token_id", 1024},
        {"eos_token_id", 1024},
        {"pad_token_id", 1024},
        {"torch_dtype", "float32"}};
    for (const auto& item : expected.items()) {
        const std::string key = item.key();
        const auto& value = item.value();
        CAPTURE(key);
        CHECK(json.at(key) == value);
        auto without = json;
        without.erase(key);
        CHECK(to_json(read(without.dump())) == to_json(config));
        for (const nlohmann::ordered_json& wrong :
             {nlohmann::ordered_json(7), nlohmann::ordered_json("7"), nlohmann::ordered_json(true),
              nlohmann::ordered_json()}) {
            auto other = json;
            other[key] = wrong;
            check_refused(other.dump(), key + " must be " + value.dump() +
                                            " as the settings have it, found " + wrong.dump());
        }
    }
    // All of them are compared with the settings as read, not with those below.
    CHECK(read(R"({"hidden_size": 64, "model": {"width": 64}})").model.sizes.width == 64);
    check_refused(R"({"hidden_size": 64})", "hidden_size must be 512");
    // What transformers adds when it saves a model.
    CHECK_NOTHROW(
        read(R"({"dtype": "float32", "transformers_version": "5.24.0", "auto_map": {}})"));
    CHECK(nlohmann::json::parse(to_json(Config()))["eos_token_id"].is_null());
}

TEST_CASE("config: keys are unique, and a state keeps all but what may change") {
    std::set<std::string> keys;
    int count = 0;
    const Config config = preset("tiny_original");
    const auto fixed = nlohmann::json::parse(fixed_settings(config));
    visit_settings(config, [&](const Setting& setting, const auto& field) {
        ++count;
        CAPTURE(setting.name());
        CHECK(keys.insert(setting.name()).second);
        const bool known_by_hash =
            setting.name() == "data.tokenizer" || setting.name() == "data.valid_hash";
        CHECK(fixed.contains(setting.name()) == (!setting.free && !known_by_hash));
        if (fixed.contains(setting.name())) {
            CHECK(fixed[setting.name()] == setting_text(field));
        }
    });
    CHECK(count > 40);
}

TEST_CASE("config: settings that differ from those of a state are named") {
    const Config config = preset("tiny_original");
    const std::string fixed = fixed_settings(config);
    CHECK_NOTHROW(require_fixed_settings(config, fixed, "f"));
    const auto differs = [&](const char* part, const std::function<void(Config&)>& change) {
        Config other = config;
        change(other);
        CHECK_THROWS_WITH_AS(require_fixed_settings(other, fixed, "f"), doctest::Contains(part),
                             Error);
    };
    differs("experts.mask_seed \"1\"", [](Config& c) { c.model.experts.mask_seed = 2; });
    differs("experts.mask_where",
            [](Config& c) { c.model.experts.mask_where = MaskWhere::hidden; });
    differs("experts.mask_scale", [](Config& c) { c.model.experts.mask_scale = MaskScale::one; });
    differs("training.optimizer \"schedule_free\"", [](Config& c) { c.optimizer = "sgd"; });
    differs("router.routing", [](Config& c) { c.model.router.kind = "hash"; });
    Config longer = config;
    longer.steps += 1;
    longer.data = {"elsewhere.txt"};
    CHECK_NOTHROW(require_fixed_settings(longer, fixed, "f"));
    CHECK_THROWS_AS(require_fixed_settings(config, "{}", "f"), Error);
    for (const std::string& unsound :
         {std::string("nothing"), "{" + fixed.substr(1, fixed.size() - 2) + ", " + fixed.substr(1),
          R"({"experts.count": )" + std::string(300000, '[') + std::string(300000, ']') + "}"}) {
        CHECK_THROWS_WITH_AS(require_fixed_settings(config, unsound, "f"),
                             "'f': its settings are not readable", Error);
    }
}

TEST_CASE("config: files that are no settings") {
    check_refused(R"({"model": {"widht": 3}})", "did you mean 'width'?");
    check_refused(R"({"model": {"qqqqqqqq": 3}})", "known are width, layers");
    check_refused(R"({"modle": {}})", "did you mean 'model'?");
    check_refused(R"({"model_type": "gpt"})", "model_type must be \"smoe\"");
    check_refused(R"({"hidden_sise": 512})", "did you mean 'hidden_size'?");
    check_refused(R"({"model": []})", "'model' must be an object");
    check_refused("[]", "object");
    check_refused("3", "object");
    check_refused("", "line 1");
    check_refused("{\n\n\"model\": ,}", "line 3");
    check_refused("{} {}", "not valid JSON");
    check_refused(R"({"training": {"lr": 1e999}})", "out of range");
    check_refused(std::string(200000, '['), "nested more than");
    check_refused(R"({"model": {"width": 64, "layers": 2, "width": 32}})",
                  "the key \"width\" is given twice");
    check_refused(R"({"model": {"width": 64}, "model": {"layers": 2}})",
                  "the key \"model\" is given twice");
    check_refused(R"({"hidden_size": 512, "hidden_size": 512})", "\"hidden_size\" is given twice");
    check_refused(R"({"data": {"pad": true, "\u0070ad": false}})", "\"pad\" is given twice");
    for (const char* value :
         {"\"16\"", "16.5", "null", "true", "[16]", "{}", "9223372036854775808"}) {
        check_refused(std::string(R"({"model": {"width": )") + value + "}}", "model.width");
    }
    check_refused(R"({"training": {"seed": -1}})", "training.seed");
    check_refused(R"({"training": {"lr": "fast"}})", "training.lr");
    check_refused(R"({"data": {"pad": 1}})", "data.pad");
    check_refused(R"({"data": {"data": "a.txt"}})", "data.data");
    check_refused(R"({"data": {"data": ["a.txt", 3]}})", "data.data");
    check_refused(R"({"router": {"routing": "chance"}})", "router, hash, random, none");
    check_refused(R"({"experts": {"mask_family": "shard:0.5"}})", "did you mean 'shared'?");
    check_refused(R"({"experts": {"mask_scale": "half"}})", "expected one of inverse, root, one");
    check_refused(R"({"training": {"optimizer": "sgd:1"}})", "schedule_free, adamw, sgd");
    check_refused(R"({"model": {"width": 30, "heads": 4}})", "multiple of its heads");
    const Config shared = read(R"({"experts": {"mask_family": "shared:0.5"}})");
    CHECK(shared.model.experts.mask_family == "shared:0.5");
    CHECK(shared.model.experts.mask_scale == MaskScale::inverse);
    CHECK(read(to_json(shared)).model.experts.mask_family == "shared:0.5");
    CHECK(read(R"({"training": {"lr": 1}})").optim.lr == 1);
}

TEST_CASE("config: impossible values") {
    const double nan = std::nan("");
    check_impossible("width", [](Config& c) { c.model.sizes.width = 0; });
    check_impossible("width", [](Config& c) { c.model.sizes.width = INT64_MAX; });
    check_impossible("the router's", [](Config& c) { c.model.router.sizes.heads = 3; });
    check_impossible("layers", [](Config& c) { c.model.sizes.layers = -1; });
    check_impossible("hidden", [](Config& c) { c.model.sizes.hidden = 0; });
    check_impossible("dropout", [&](Config& c) { c.model.sizes.dropout = nan; });
    check_impossible("dropout", [](Config& c) { c.model.router.sizes.dropout = 1; });
    check_impossible("experts", [](Config& c) { c.model.experts.count = 256; });
    check_impossible("mask_rate", [&](Config& c) { c.model.experts.mask_rate = nan; });
    check_impossible("context", [](Config& c) { c.model.context = INT64_MAX; });
    check_impossible("batch", [](Config& c) { c.batch = INT64_MIN; });
    check_impossible("steps must be at least 1, found 0", [](Config& c) { c.steps = 0; });
    check_impossible("minutes", [&](Config& c) { c.minutes = nan; });
    check_impossible("log_every", [](Config& c) { c.log_every = 0; });
    check_impossible("sample_every", [](Config& c) { c.sample_every = -1; });
    check_impossible("eval_tokens", [](Config& c) { c.eval_tokens = -1; });
    check_impossible("valid_share", [](Config& c) { c.valid_share = 0; });
    check_impossible("entries", [](Config& c) { c.entries = 255; });
    check_impossible("rate", [](Config& c) { c.optim.lr = INFINITY; });
    check_impossible("beta", [&](Config& c) { c.optim.beta1 = nan; });
    check_impossible("eps", [](Config& c) { c.optim.eps = 0; });
    check_impossible("decay", [](Config& c) { c.optim.weight_decay = -1; });
    check_impossible("arm", [](Config& c) { c.optim.warmup = -1; });
    check_impossible("is for adamw and sgd",
                     [](Config& c) { c.optim.schedule = Schedule::cosine; });
    check_impossible("nobody knows how many there will be", [](Config& c) {
        c.optimizer = "adamw";
        c.optim.schedule = Schedule::linear;
        c.minutes = 1;
    });
    check_impossible("schedule_free, adamw, sgd", [](Config& c) { c.optimizer = "adam"; });
    check_impossible("UTF-8", [](Config& c) { c.data = {"good", "b\xFF"}; });
    check_impossible("UTF-8", [](Config& c) { c.tokenizer = "b\xFF"; });
}

}  // namespace smoe
