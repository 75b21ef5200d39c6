// smoe experts: what the experts of a trained model are. Which of domain, token and position they
// follow, what the model loses with other experts, and how far two runs agree.
// Read next: models/training/expert_analysis.h, where the numbers come from.
#include <algorithm>
#include <cmath>
#include <memory>

#include "core/check.h"
#include "core/file.h"
#include "core/format.h"
#include "examples/smoe/commands.h"
#include "examples/smoe/experts.h"
#include "examples/smoe/options.h"
#include "examples/smoe/printing.h"
#include "models/text/story_list.h"
#include "models/training/run_directory.h"
#include "models/training/trainer.h"

namespace smoe {
namespace {

using Json = nlohmann::ordered_json;

struct ExpertsOptions {
    std::string run, other;
    std::vector<std::string> data;
    int64_t max_tokens = 20000;
    bool json = false;
};

Json json_of(const Information& information) {
    return {{"bits", information.bits}, {"floor", information.floor}};
}

}  // namespace

Json json_of(const ExpertAnalysis& result) {
    Json object = {{"tokens", result.tokens},     {"loss", result.loss},
                   {"permuted", result.permuted}, {"banned", result.banned},
                   {"single", result.single},     {"oracle", result.oracle},
                   {"blocks", Json::array()}};
    for (const BlockExperts& block : result.blocks) {
        object["blocks"].push_back({{"expert_tokens", block.tokens},
                                    {"entropy", block.entropy},
                                    {"domain", json_of(block.domain)},
                                    {"token", json_of(block.token)},
                                    {"position", json_of(block.position)}});
    }
    return object;
}

namespace {

void print_losses(const ExpertAnalysis& result) {
    const auto best = std::ranges::min_element(result.single);
    const auto worst = std::ranges::max_element(result.banned);
    double banned = 0;
    for (const double loss : result.banned) {
        banned += loss / double(result.banned.size());
    }
    const auto line = [&](const std::string& what, double loss) {
        fmt::print("  {:<48} {:.4f}  {:+.4f}\n", what, loss, loss - result.loss);
    };
    fmt::print("loss in nats per token, on {} tokens:\n", format_count(result.tokens));
    line("as routed", result.loss);
    line("each expert replaced by the next", result.permuted);
    line(fmt::format("all tokens to expert {}, the best alone", best - result.single.begin()),
         *best);
    line("one expert banned, mean over experts", banned);
    line(fmt::format("expert {} banned, which costs most", worst - result.banned.begin()), *worst);
    line("the best expert for each token, looking ahead", result.oracle);
}

void print_blocks(const ExpertAnalysis& result) {
    fmt::print(
        "\nwhat a token's expert tells, in bits (in brackets: what chance gives), by block:\n"
        "  block   entropy of experts           domain            token         position\n");
    const double most = std::log2(double(result.banned.size()));
    for (size_t b = 0; b < result.blocks.size(); ++b) {
        const BlockExperts& block = result.blocks[b];
        const auto cell = [](const Information& i) {
            return fmt::format("{:.3f} ({:.3f})", i.bits, i.floor);
        };
        fmt::print("  {:>5}  {:>10.3f} of {:.3f}  {:>15}  {:>15}  {:>15}\n", b, block.entropy, most,
                   cell(block.domain), cell(block.token), cell(block.position));
    }
}

ExpertAnalysis analyse(const std::string& path, const ExpertsOptions& options) {
    const RunDirectory run(path);
    const Config config = run.config();
    const Tokenizer tokenizer = run.tokenizer(config);
    const std::unique_ptr<SingleMoe> moe = run.load(config);
    const Dataset data(read_list(options.data).encoded(tokenizer), tokenizer,
                       dataset_settings(config));
    return analyse_experts(*moe, data, config.seed, options.max_tokens);
}

// Of each block.
std::vector<double> agreements_of(const ExpertAnalysis& a, const ExpertAnalysis& b,
                                  const ExpertsOptions& options) {
    check(a.tokens == b.tokens && a.assignments.size() == b.assignments.size(),
          "'{}' and '{}' cut the text into other tokens, or choose experts in other numbers of "
          "blocks, so their experts cannot be compared",
          options.run, options.other);
    std::vector<double> agreements;
    for (size_t block = 0; block < a.assignments.size(); ++block) {
        agreements.push_back(agreement(a.assignments[block], b.assignments[block], 1));
    }
    return agreements;
}

int show_experts(const ExpertsOptions& options) {
    check(options.max_tokens >= 0, "--max-tokens must not be negative, found {}",
          options.max_tokens);
    require_readable(options.data);
    const ExpertAnalysis result = analyse(options.run, options);
    std::vector<double> agreements;
    if (!options.other.empty()) {
        agreements = agreements_of(result, analyse(options.other, options), options);
    }
    if (options.json) {
        Json object = json_of(result);
        if (!options.other.empty()) {
            object["agreement"] = agreements;
        }
        fmt::print("{}\n", object.dump());
        return 0;
    }
    print_losses(result);
    print_blocks(result);
    if (!options.other.empty()) {
        fmt::print("\nagreement with {} by block (1: the same division, 0: unrelated):\n ",
                   options.other);
        for (const double agreed : agreements) {
            fmt::print(" {:.3f}", agreed);
        }
        fmt::print("\n");
    }
    return 0;
}

}  // namespace

Command add_experts(Arguments arguments) {
    auto options = std::make_shared<ExpertsOptions>();
    arguments.path("run", options->run, "run directory").required().called("DIR");
    arguments.path("other", options->other, "another run on the same tokenizer, to compare with")
        .called("DIR");
    arguments.paths("--data", options->data, "text to look at: .txt, .jsonl, .csv, .tsv or .tokens")
        .required();
    arguments.number("--max-tokens", options->max_tokens, "tokens to look at; 0: all");
    arguments.flag("--json", options->json, "print one JSON object instead of tables");
    return [options] { return show_experts(*options); };
}

}  // namespace smoe
