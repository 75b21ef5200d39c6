// smoe export: a trained run as a folder that Hugging Face tools read. It holds settings, weights
// and tokenizer as the run has them, what else those tools need, and a model card. The folder must
// be new or empty, since what is in it may be somebody's work. It leaves out the folders of this
// machine's texts, because the result is meant to be passed on, and what a run does not know:
// licence, language.
// Read next: models/training/config.cpp, which writes the keys of config.json.
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/file.h"
#include "core/format.h"
#include "examples/smoe/commands.h"
#include "examples/smoe/flags.h"
#include "examples/smoe/huggingface.h"
#include "examples/smoe/options.h"
#include "examples/smoe/printing.h"
#include "models/generation/sampling.h"
#include "models/training/run_directory.h"

namespace smoe {
namespace {

using Json = nlohmann::ordered_json;
using Files = std::map<std::string, std::string>;  // bytes by name

struct ExportOptions {
    std::string run, out, dtype = name_of(Precision::float32);
};

// The last of these metrics that has all of these counts and numbers; null if there is none.
Json last_metrics(const std::vector<Json>& metrics, const std::vector<std::string>& counts,
                  const std::vector<std::string>& numbers = {}) {
    Json last;
    for (const Json& object : metrics) {
        const auto all = [&](const std::vector<std::string>& keys, auto is_kind) {
            return std::all_of(keys.begin(), keys.end(), [&](const std::string& key) {
                return object.contains(key) && (object[key].*is_kind)();
            });
        };
        if (all(counts, &Json::is_number_unsigned) && all(numbers, &Json::is_number)) {
            last = object;
        }
    }
    return last;
}

// What <|endoftext|> is to other tools: one token that starts, ends and pads.
Json special_tokens() {
    const std::string name(Tokenizer::end_of_text_name);
    return {{"bos_token", name}, {"eos_token", name}, {"pad_token", name}};
}

Json tokenizer_config(const Config& config, const Tokenizer& tokenizer) {
    Json json = special_tokens();
    json["tokenizer_class"] = "PreTrainedTokenizerFast";
    json["model_max_length"] = config.model.context;
    json["clean_up_tokenization_spaces"] = false;
    json["added_tokens_decoder"][std::to_string(tokenizer.end_of_text())] = {
        {"content", Tokenizer::end_of_text_name},
        {"lstrip", false},
        {"normalized", false},
        {"rstrip", false},
        {"single_word", false},
        {"special", true}};
    return json;
}

// tokenizer.json with a rule that puts the start token before each text, which is why this program's
// own needs none.
std::string tokenizer_with_start(const Tokenizer& tokenizer) {
    const std::string name(Tokenizer::end_of_text_name), none = R"("post_processor": null)";
    const Json start = {{"SpecialToken", {{"id", name}, {"type_id", 0}}}};
    const auto text = [](const char* id, int type) {
        return Json{{"Sequence", {{"id", id}, {"type_id", type}}}};
    };
    const Json rule = {{"type", "TemplateProcessing"},
                       {"single", {start, text("A", 0)}},
                       {"pair", {start, text("A", 0), start, text("B", 1)}},
                       {"special_tokens",
                        {{name,
                          {{"id", name},
                           {"ids", Json::array({tokenizer.end_of_text()})},
                           {"tokens", Json::array({name})}}}}}};
    std::string json = tokenizer.to_json();
    return json.replace(json.find(none), none.size(), R"("post_processor": )" + rule.dump());
}

// The run's weights, and beside them those of its router, where one file is asked for.
std::string weights_bytes(const RunDirectory& run, const SingleMoe& moe, Precision dtype) {
    TensorFile file = read_safetensors(run.file("model.safetensors"));
    for (const auto& [name, tensor] : moe.router->state_dict()) {
        file.tensors[RunDirectory::router_prefix + name] = tensor;
    }
    return safetensors_bytes(file, dtype);
}

// config.json with the classes that run the model, if there are any.
std::string config_json(const Config& config, Precision dtype, bool runs) {
    Json json = Json::parse(to_json(config, dtype));
    if (runs) {
        json["auto_map"] = {{"AutoConfig", "configuration_smoe.SmoeConfig"},
                            {"AutoModelForCausalLM", "modeling_smoe.SmoeForCausalLM"}};
    }
    return json.dump(2) + "\n";
}

// The defaults of smoe generate.
Json generation_config(const Config& config, const Tokenizer& tokenizer) {
    const Sampling sampling;
    return {{"bos_token_id", tokenizer.end_of_text()},
            {"eos_token_id", tokenizer.end_of_text()},
            {"pad_token_id", tokenizer.end_of_text()},
            {"max_length", config.model.context},
            {"do_sample", sampling.kind != "greedy"},
            {"temperature", sampling.temperature},
            {"top_p", sampling.top_p},
            {"top_k", sampling.top_k}};
}

std::string card_about(const Config& config, const Router& router) {
    const std::string base =
        std::string("A decoder transformer (post-norm, ReLU, sinusoidal positions), trained ") +
        (config.init.empty() ? "from scratch" : "further from weights that are named below");
    if (router.is_dense()) {
        return base + ".\nIt is dense: all of its neurons serve every token.\n";
    }
    const ExpertSettings& experts = config.model.experts;
    return fmt::format(
        "{} as a Single Mixture of Experts:\nits feed-forward network contains {} experts. An "
        "expert is that network with {:g} % of its {} neurons\nswitched off, the same ones always; "
        "which one a token gets is decided by {}.\n",
        base, experts.count, 100 * experts.mask_rate, masked_neurons(experts.mask_where),
        router.description());
}

std::string card_sizes(const Config& config, const SingleMoe& moe) {
    const Sizes& sizes = config.model.sizes;
    std::string text = fmt::format(
        "| | parameters | width | layers | heads | feed-forward width "
        "|\n|---|---|---|---|---|---|\n| model | {} | {} | {} | {} | {} |\n",
        format_count(moe.model.parameter_count()), sizes.width, sizes.layers, sizes.heads,
        sizes.hidden);
    if (moe.router->learns()) {
        text +=
            fmt::format("| router | {} | | | | |\n", format_count(moe.router->parameter_count()));
    }
    return text + fmt::format("\nVocabulary: {} tokens of a byte-level BPE. Context: {} tokens.\n",
                              format_count(config.model.vocab_size),
                              format_count(config.model.context));
}

// File names as indented code, where Markdown sees no marks.
std::string card_files(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += "    " + Json(name).dump() + "\n";
    }
    return text;
}

std::string card_data(const Config& config) {
    const std::string held_out =
        config.valid.empty() ? fmt::format("Held out: {:g} % of the stories of each domain.\n",
                                           100 * config.valid_share)
                             : "Held out:\n\n" + card_files(config.valid);
    return (config.init.empty() ? "" : "Started from:\n\n" + card_files({config.init}) + "\n") +
           "Trained on:\n\n" + card_files(config.data) + "\n" + held_out;
}

std::string card_training(const Config& config, const Router& routing, const Json& trained) {
    std::string text = "| flag of `smoe train` | value | |\n|---|---|---|\n";
    visit_settings(config, [&](const Setting& setting, const auto& field) {
        const std::string group = setting.group, key = setting.key;
        // How often something was reported has no bearing on the weights.
        const bool training = group == "training" && !key.ends_with("_every");
        const bool router =
            routing.learns() && group == "router" && (key == "steps" || key == "warmup");
        if (training || router) {
            text += fmt::format("| `{}` | {} | {} |\n", flag_of(setting), setting_text(field),
                                help_of(setting));
        }
    });
    return text + (trained.is_null() ? std::string("\nHow far training went is not recorded.\n")
                                     : fmt::format("\nTaken: {} steps, {} tokens.\n",
                                                   format_count(trained["step"].get<int64_t>()),
                                                   format_count(trained["tokens"].get<int64_t>())));
}

std::string card_evaluation(const Config& config, const Json& evaluated) {
    if (evaluated.is_null()) {
        return "This run has no held-out evaluation on record.\n";
    }
    return fmt::format(
        "After step {}, on {}held-out text: a loss of {:.4f} nats per token, {:.4f} bits per "
        "byte.\n"
        "The loss depends on the vocabulary; bits per byte can be compared between models.\n",
        format_count(evaluated["step"].get<int64_t>()),
        config.eval_tokens > 0
            ? fmt::format("at most {} tokens of the ", format_count(config.eval_tokens))
            : std::string("all of the "),
        evaluated["valid_loss"].get<double>(), evaluated["valid_bits_per_byte"].get<double>());
}

std::string card_loading(const Config& config) {
    const std::string reason = why_not_in_transformers(config);
    return reason.empty() ? R"(In Python, with `transformers`:

    from transformers import pipeline
    tell = pipeline("text-generation", "FOLDER", trust_remote_code=True)
    print(tell("Once upon a time", max_new_tokens=100)[0]["generated_text"])

The folder carries the Python that this runs, `modeling_smoe.py`.
)"
                          : "`transformers` cannot run it: " + reason + ".\n";
}

std::string model_card(const RunDirectory& run, const Config& config, SingleMoe& moe) {
    // Metrics may have lines, after a kill, about steps that are not in the weights.
    const std::vector<Json> metrics = run.metrics(run.weights_step());
    const std::string kind = moe.router->is_dense() ? "dense" : "mixture-of-experts";
    return fmt::format(
        R"(---
# What only you can say belongs here, for example:
# license: mit
# language: en
library_name: smoe
pipeline_tag: text-generation
tags:
- smoe
- {}
---

# A language model trained with smoe

{}
## Size

{}
## Data

{}
## Training

{}
## Evaluation

{}
## Limits

- It knows nothing but the text above, and writes text of that kind, right or wrong. It follows no instructions.
- Nothing was done about bias or harmful content in that text.
- Beyond {} tokens, the start included, it neither reads nor writes.

## How to load

    smoe generate FOLDER --prompt "Once upon a time"
    smoe eval FOLDER --data text.txt

{}
`<|endoftext|>` (id {}) starts every text, ends it and pads it; the tokenizer puts it before a text. The weights have
the names of the `state_dict` of the original (<https://github.com/DaiDaiLoh/SingleMixtureOfExperts>), those of a
router with `router.` before them.

## Licence

None is given yet. Whoever publishes this folder chooses one, minding those of the data, and names it at the top.
)",
        kind, card_about(config, *moe.router), card_sizes(config, moe), card_data(config),
        card_training(config, *moe.router, last_metrics(metrics, {"step", "tokens"})),
        card_evaluation(config,
                        last_metrics(metrics, {"step"}, {"valid_loss", "valid_bits_per_byte"})),
        format_count(config.model.context), card_loading(config), config.model.vocab_size - 1);
}

void require_empty(const std::string& path) {
    std::error_code ignored;
    check(!file_exists(path) || std::filesystem::is_empty(path, ignored),
          "'{}' is not empty: choose another folder", path);
    require_writable_folder(path);
}

// Writes all of the files, or throws Error and leaves no trace of them.
void write_folder(const std::string& path, const Files& files) {
    require_empty(path);
    const std::filesystem::path folder = path;
    std::error_code ignored;
    const bool is_new = !file_exists(path);
    make_folder(path);
    try {
        for (const auto& [name, bytes] : files) {
            write_file((folder / name).string(), bytes);
        }
    } catch (...) {
        for (const auto& [name, bytes] : files) {
            std::filesystem::remove(folder / name, ignored);
        }
        if (is_new) {
            std::filesystem::remove(folder, ignored);
        }
        throw;
    }
}

int export_run(const ExportOptions& options) {
    const RunDirectory run(options.run);
    const Config config = without_folders(run.config());
    require_empty(options.out);
    const Tokenizer tokenizer = run.tokenizer(config);
    const std::unique_ptr<SingleMoe> moe = run.load(config);
    const auto text = [](const Json& json) { return json.dump(2) + "\n"; };
    const auto dtype = enum_named<Precision>(options.dtype);
    const std::string reason = why_not_in_transformers(config);
    Files files = {{"config.json", config_json(config, dtype, reason.empty())},
                   {"tokenizer.json", tokenizer_with_start(tokenizer)},
                   {"tokenizer_config.json", text(tokenizer_config(config, tokenizer))},
                   {"special_tokens_map.json", text(special_tokens())},
                   {"generation_config.json", text(generation_config(config, tokenizer))},
                   {"model.safetensors", weights_bytes(run, *moe, dtype)},
                   {"README.md", model_card(run, config, *moe)}};
    if (reason.empty()) {
        files["configuration_smoe.py"] = configuration_smoe_py;
        files["modeling_smoe.py"] = modeling_smoe_py;
    } else {
        say("without Python for transformers, since {}", reason);
    }
    write_folder(options.out, files);
    int64_t bytes = 0;
    for (const auto& [name, content] : files) {
        bytes += int64_t(content.size());
    }
    say("{} files, {}, written to {}", files.size(), format_bytes(bytes), options.out);
    say("before you publish it, add licence and language to its README.md");
    suggest("what is there can write as the run does:", "generate " + shell_path(options.out));
    return 0;
}

}  // namespace

Command add_export(Arguments arguments) {
    auto options = std::make_shared<ExportOptions>();
    arguments.path("run", options->run, "run directory").required().called("DIR");
    arguments.path("--hf", options->out, "folder to write to, in the form of the Hugging Face Hub")
        .required()
        .called("DIR");
    arguments.choice("--dtype", options->dtype, names_of<Precision>(),
                     "what numbers are stored as; bfloat16 takes half the room [float32]");
    return [options] { return export_run(*options); };
}

}  // namespace smoe
