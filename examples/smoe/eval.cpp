// smoe eval: how well a trained model predicts a text, by domain, and which expert takes what. For
// people as tables, for programs as JSON.
// Read next: generate.cpp; models/training/evaluation.cpp, where the numbers come from.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/format.h"
#include "core/text.h"
#include "examples/smoe/commands.h"
#include "examples/smoe/options.h"
#include "models/text/story_reader.h"
#include "models/training/evaluation.h"
#include "models/training/expert_colours.h"
#include "models/training/progress.h"
#include "models/training/run_directory.h"
#include "models/training/trainer.h"

namespace smoe {
namespace {

struct EvalOptions {
    std::string run, long_stories;
    std::vector<std::string> data;
    bool json = false;
};

// For other programs: numbers in full.
nlohmann::ordered_json json_of(const EvaluationPart& part) {
    return {{"tokens", part.tokens},
            {"bytes", part.bytes},
            {"loss", part.loss()},
            {"bits_per_byte", part.bits_per_byte()},
            {"expert_tokens", part.expert_tokens}};
}

void print_json(const Evaluation& result) {
    nlohmann::ordered_json object = json_of(result.total);
    object["domains"] = nlohmann::ordered_json::object();
    for (const EvaluationPart& part : result.domains) {
        object["domains"][part.domain] = json_of(part);
    }
    fmt::print("{}\n", object.dump());
}

void print_part(const EvaluationPart& part) {
    fmt::print("{:<16} {:>12} {:>12} {:>10.4f} {:>12.4f}\n", to_one_line(part.domain),
               format_count(part.tokens), format_count(part.bytes), part.loss(),
               part.bits_per_byte());
}

// Rows: domains; columns: the share of the domain's tokens that each expert takes, in per cent.
void print_experts(const Evaluation& result) {
    const bool colour = wants_colour(1);
    const size_t K = result.total.expert_tokens.size();
    fmt::print("\nshare of each expert in a domain's tokens, %\n{:<16}", "");
    for (size_t k = 0; k < K; ++k) {
        const std::string head = fmt::format("{:>6}", k);
        fmt::print("{}", colour ? in_expert_colour(head, int64_t(k)) : head);
    }
    fmt::print("\n");
    std::vector<EvaluationPart> parts = result.domains;
    if (parts.size() > 1) {
        parts.push_back(result.total);
    }
    for (const EvaluationPart& part : parts) {
        fmt::print("{:<16}", to_one_line(part.domain));
        for (const int64_t count : part.expert_tokens) {
            fmt::print("{:>6.1f}",
                       100.0 * double(count) / double(std::max<int64_t>(1, part.tokens)));
        }
        fmt::print("  {}\n", bars(part.expert_tokens));
    }
}

int evaluate_run(const EvalOptions& options) {
    const RunDirectory run(options.run);
    Config config = run.config();
    if (!options.long_stories.empty()) {
        config.long_stories = enum_named<LongStories>(options.long_stories);
    }
    const Tokenizer tokenizer = run.tokenizer(config);
    const std::unique_ptr<SingleMoe> moe = run.load(config);
    const Dataset data(read_stories(options.data), tokenizer, dataset_settings(config));
    if (options.json) {
        print_json(evaluate(*moe, data, config.seed, 0));
        return 0;
    }
    fmt::print("text: {}\n\n", data.summary());
    const Evaluation result = evaluate(*moe, data, config.seed, 0);
    fmt::print("{:<16} {:>12} {:>12} {:>10} {:>12}\n", "domain", "tokens", "bytes", "loss/token",
               "bits/byte");
    if (result.domains.size() > 1) {
        for (const EvaluationPart& part : result.domains) {
            print_part(part);
        }
    }
    print_part(result.total);
    if (!result.total.expert_tokens.empty()) {
        print_experts(result);
    }
    return 0;
}

}  // namespace

Command add_eval(CLI::App& app) {
    auto options = std::make_shared<EvalOptions>();
    add_path(app, "run", options->run, "run directory")->required()->type_name("DIR");
    add_paths(app, "--data", options->data, "text to predict: .txt, .jsonl, .csv or .tsv")
        ->required();
    add_long_stories(app, options->long_stories);
    app.add_flag("--json", options->json, "print one JSON object instead of tables");
    return [options] { return evaluate_run(*options); };
}

}  // namespace smoe
