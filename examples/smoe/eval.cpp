// smoe eval: how well a trained model predicts a text, by domain, and which expert takes what.
// People get tables, programs get JSON.
// Read next: generate.cpp; models/training/evaluation.cpp, where the numbers come from.
#include <memory>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/file.h"
#include "core/terminal.h"
#include "core/text.h"
#include "examples/smoe/commands.h"
#include "examples/smoe/options.h"
#include "examples/smoe/printing.h"
#include "examples/smoe/tables.h"
#include "models/text/story_list.h"
#include "models/training/evaluation.h"
#include "models/training/run_directory.h"
#include "models/training/trainer.h"

namespace smoe {
namespace {

struct EvalOptions {
    std::string run, long_stories;
    std::vector<std::string> data;
    bool json = false, stories = false;
};

// Other programs get the numbers in full.
nlohmann::ordered_json json_of(const EvaluationPart& part) {
    return {{"tokens", part.tokens},
            {"bytes", part.bytes},
            {"loss", part.loss()},
            {"bits_per_byte", part.bits_per_byte()},
            {"expert_tokens", part.expert_tokens}};
}

// [{"story", "domain", "tokens", "bytes", "loss"}] in the order of the text: two models can be
// compared story by story. "story" counts those of the text, of which some may be left out.
nlohmann::ordered_json stories_json(const Evaluation& result, const Dataset& data) {
    nlohmann::ordered_json stories = nlohmann::ordered_json::array();
    for (size_t i = 0; i < result.sequences.size();) {
        const int64_t sequence = result.sequences[i].sequence;
        EvaluationPart story;  // of all its sequences
        for (; i < result.sequences.size() &&
               data.story_of(result.sequences[i].sequence) == data.story_of(sequence);
             ++i) {
            story.loss_sum += result.sequences[i].loss_sum;
            story.tokens += result.sequences[i].tokens;
            story.bytes += result.sequences[i].bytes;
        }
        stories.push_back({{"story", data.story_of(sequence)},
                           {"domain", data.domains()[size_t(data.domain_of(sequence))]},
                           {"tokens", story.tokens},
                           {"bytes", story.bytes},
                           {"loss", story.loss()}});
    }
    return stories;
}

void print_json(const EvalOptions& options, const Config& config, const Dataset& data,
                const Evaluation& result) {
    const int64_t step = RunDirectory(options.run).weights_step();
    nlohmann::ordered_json object = {{"run", to_valid_utf8(options.run)},
                                     {"step", step},
                                     {"seed", config.seed},
                                     {"text_hash", fmt::format("{:016x}", data.sequence_hash())}};
    if (step == INT64_MAX) {  // weights that other programs wrote do not say
        object["step"] = nullptr;
    }
    object.update(json_of(result.total));
    object["domains"] = nlohmann::ordered_json::object();
    for (const EvaluationPart& part : result.domains) {
        object["domains"][part.domain] = json_of(part);
    }
    if (options.stories) {
        object["stories"] = stories_json(result, data);
    }
    // It is ASCII on a terminal, since names of domains come from files.
    fmt::print("{}\n", object.dump(-1, ' ', is_terminal(STDOUT_FILENO)));
}

int evaluate_run(const EvalOptions& options) {
    const RunDirectory run(options.run);
    Config config = run.config();
    if (!options.long_stories.empty()) {
        config.long_stories = enum_named<LongStories>(options.long_stories);
    }
    require_readable(options.data);
    const Tokenizer tokenizer = run.tokenizer(config);
    const std::unique_ptr<SingleMoe> moe = run.load(config);
    const Dataset data(read_list(options.data).encoded(tokenizer), tokenizer,
                       dataset_settings(config));
    if (options.json) {
        print_json(options, config, data, evaluate(*moe, data, config.seed, 0));
        return 0;
    }
    say("text: {}", data.summary());
    fmt::print("\n");
    const Evaluation result = evaluate(*moe, data, config.seed, 0);
    const int width = line_width(STDOUT_FILENO);
    fmt::print("{}", domain_table(result, width));
    if (!result.total.expert_tokens.empty()) {
        fmt::print("\n{}", expert_table(result, width, wants_colour(STDOUT_FILENO)));
    }
    return 0;
}

}  // namespace

Command add_eval(Arguments arguments) {
    auto options = std::make_shared<EvalOptions>();
    arguments.path("run", options->run, "run directory").required().called("DIR");
    arguments.paths("--data", options->data, "text to predict: .txt, .jsonl, .csv, .tsv or .tokens")
        .required();
    arguments.long_stories(options->long_stories);
    const Option json =
        arguments.flag("--json", options->json, "print one JSON object instead of tables");
    arguments.flag("--stories", options->stories, "put the loss of each story into that object")
        .needs(json);
    return [options] { return evaluate_run(*options); };
}

}  // namespace smoe
