// Reads one word per line from standard input and answers each with a line. The router is frozen
// from the first step on, so each step is: experts from the router, forward, backward, optimiser.
// Read next: compare_torch.py, the other side.
#include "tests/bench/serve.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <memory>

#include "core/check.h"
#include "core/file.h"
#include "core/safetensors.h"
#include "models/training/trainer.h"
#include "tests/bench/bench.h"
#include "tests/bench/text.h"

namespace smoe::bench {
namespace {

struct ServeOptions {
    std::string preset = "tiny_original", precision = "float32", export_file, tokenizer_file;
    int64_t batch = 0, steps = 8;
    bool pad = false, recompute = false;
};

template <class T>
Tensor as_tensor(const std::vector<T>& values) {
    return Tensor::from({int64_t(values.size())}, std::vector<real>(values.begin(), values.end()));
}

// Weights, the settings (metadata "config"), the batches of all steps (batch.I.inputs, .targets,
// .offsets, and .experts from the router) and the losses of batch 0 in evaluation mode, all as
// float32.
void write_export(const std::string& path, const Config& config, Trainer& trainer,
                  const Dataset& data, int64_t steps) {
    TensorFile file;
    file.metadata["config"] = to_json(config);
    SingleMoe& moe = trainer.moe();
    for (const auto& [name, tensor] : trainer.moe().model.state_dict()) {
        file.tensors["model." + name] = tensor;
    }
    for (const auto& [name, tensor] : moe.router->state_dict()) {
        file.tensors["router." + name] = tensor;
    }
    const Trainer::EvaluationMode evaluation(trainer);
    const NoGrad no_grad;
    Rng chance(0);
    BatchStream stream(data);
    for (int64_t step = 0; step < steps; ++step) {
        const Batch batch = stream.next();
        const Experts experts = moe.router->choose(batch.inputs, chance);
        const std::string prefix = fmt::format("batch.{}.", step);
        file.tensors[prefix + "inputs"] = as_tensor(batch.inputs.tokens());
        file.tensors[prefix + "targets"] = as_tensor(batch.targets);
        file.tensors[prefix + "offsets"] = as_tensor(batch.inputs.offsets());
        file.tensors[prefix + "labels"] = as_tensor(experts);
        if (step == 0) {
            file.tensors["losses"] = moe.model.losses(batch.inputs, experts, batch.targets).value();
        }
    }
    write_safetensors(path, file);
}

// Before the first answer it prints "ready". The words:
//     step      one step of Trainer on batches that it has not seen    -> seconds, tokens
//     encode    every story of the text                                -> seconds, tokens
int serve(const ServeOptions& options, const std::string& text) {
    Config config = preset(options.preset);
    config.model.router.steps = 0;
    config.pad = options.pad;
    config.recompute = options.recompute;
    config.precision = enum_named<Precision>(options.precision);
    if (options.batch > 0) {
        config.batch = options.batch;
    }
    const std::vector<Story> stories = load_stories(text);
    const std::vector<std::string_view> texts = texts_of(stories);
    const Tokenizer tokenizer = make_tokenizer(config, stories);
    config.model.vocab_size = tokenizer.vocab_size();
    if (!options.tokenizer_file.empty()) {
        write_file(options.tokenizer_file, tokenizer.to_json());
    }
    // Exactly as many stories as the steps need: within one epoch none comes twice, so that the
    // router is asked each time.
    const size_t needed = size_t(config.batch * options.steps);
    check(stories.size() >= needed, "serve: {} steps of {} stories need {}, the text has {}",
          options.steps, config.batch, needed, stories.size());
    const Dataset data(std::span<const Story>(stories).first(needed), tokenizer,
                       dataset_settings(config));
    Trainer trainer(config, data);
    if (!options.export_file.empty()) {
        write_export(options.export_file, config, trainer, data, options.steps);
    }

    fmt::print("ready\n");
    std::fflush(stdout);
    for (std::string word; std::cin >> word;) {
        int64_t tokens = 0;
        const double seconds = seconds_per_call(0, [&] {
            if (word == "step") {
                check(trainer.steps() < options.steps, "serve: only {} steps were prepared",
                      options.steps);
                tokens = trainer.step().tokens;
            } else if (word == "encode") {
                for (const std::vector<int32_t>& ids : tokenizer.encode_all(texts)) {
                    tokens += int64_t(ids.size());
                }
            } else {
                fail("serve: expected step or encode, found '{}'", word);
            }
        });
        fmt::print("{} {}\n", seconds, tokens);
        std::fflush(stdout);
    }
    return 0;
}

}  // namespace

Serve add_serve(CLI::App& app) {
    auto options = std::make_shared<ServeOptions>();
    CLI::App* const command =
        app.add_subcommand("serve", "take a step for each line of input: for compare_torch.py");
    command->fallthrough();
    command->add_option("--preset", options->preset, "sizes")
        ->check(CLI::IsMember(preset_names()))
        ->capture_default_str();
    command->add_option("--batch", options->batch, "stories in a step; 0: the preset's");
    command->add_option("--steps", options->steps, "steps to prepare batches for")
        ->capture_default_str();
    command->add_flag("--pad", options->pad, "pad every story to the context");
    command->add_option("--precision", options->precision, "of products")
        ->check(CLI::IsMember(names_of<Precision>()))
        ->capture_default_str();
    command->add_flag("--recompute", options->recompute, "compute blocks again in backward");
    command->add_option("--export", options->export_file, "safetensors file to write");
    command->add_option("--tokenizer", options->tokenizer_file, "tokenizer.json to write");
    return {command, [options](const std::string& text) { return serve(*options, text); }};
}

}  // namespace smoe::bench
