// smoe generate: a trained model writes on standard output, token by token. A terminal gets valid
// UTF-8 without control characters, whatever bytes the model writes; a pipe gets the control
// characters too.
// Read next: export.cpp; models/generation/generator.h, where the tokens come from.
#include <unistd.h>
#include <memory>

#include "core/check.h"
#include "core/terminal.h"
#include "examples/smoe/commands.h"
#include "examples/smoe/options.h"
#include "examples/smoe/tables.h"
#include "examples/smoe/token_text.h"
#include "models/generation/generator.h"
#include "models/training/expert_colours.h"
#include "models/training/run_directory.h"

namespace smoe {
namespace {

struct GenerateOptions {
    std::string run, prompt, precision = name_of(Precision::bfloat16);
    Sampling sampling;
    int64_t samples = 1, max_tokens = 0;
    uint64_t seed = 1;
    bool show_experts = false;
};

int generate(const GenerateOptions& options) {
    check(options.samples >= 1 && options.samples <= Generator::max_samples,
          "--samples must be from 1 to {}, found {}", Generator::max_samples, options.samples);
    check(options.max_tokens >= 0, "--max-tokens must not be negative, found {}",
          options.max_tokens);
    check_sampling(options.sampling);
    const RunDirectory run(options.run);
    const Config config = run.config();
    const Tokenizer tokenizer = run.tokenizer(config);
    const std::vector<int32_t> prompt = tokenizer.encode(options.prompt);
    const int64_t longest = config.model.context - 2;  // behind the start token, before a new one
    check(int64_t(prompt.size()) <= longest,
          "the prompt has {} tokens, and at most {} leave room for a new one: the model's context "
          "is {}, start token included",
          prompt.size(), longest, config.model.context);
    check(!options.show_experts || !router_kinds().find(config.model.router.kind).inside,
          "--show-experts: the router '{}' chooses inside the model, where the experts of a token "
          "are not seen; smoe report shows those of the last block",
          config.model.router.kind);
    const std::unique_ptr<SingleMoe> moe = run.load(config);
    Generator generator(*moe, tokenizer.end_of_text(), options.samples,
                        enum_named<Precision>(options.precision));
    const bool colour = options.show_experts && wants_colour(STDOUT_FILENO, true);
    const bool terminal = is_terminal(STDOUT_FILENO);

    // All samples are written at once, but shown one after the other: the first as it comes, each
    // of the others when those before it have ended.
    std::vector<TokenText> texts(static_cast<size_t>(options.samples));
    std::vector<std::string> waiting(size_t(options.samples));
    std::vector<bool> ended(size_t(options.samples), false);
    size_t shown = 0;
    std::vector<int64_t> expert_tokens(moe->router->is_dense() || moe->router->is_inside()
                                           ? 0
                                           : size_t(config.model.experts.count),
                                       0);
    const auto show = [&] {
        while (shown < waiting.size()) {
            fmt::print("{}", std::exchange(waiting[shown], ""));
            if (!ended[shown]) {
                break;
            }
            fmt::print("\n{}", shown + 1 < waiting.size() ? "\n---\n\n" : "");
            ++shown;
        }
        std::fflush(stdout);
    };
    generator.run(prompt, options.sampling, options.seed,
                  options.max_tokens > 0 ? options.max_tokens : config.model.context,
                  [&](const Generator::Token& token) {
                      const size_t sample = size_t(token.sample);
                      if (token.id == tokenizer.end_of_text()) {
                          waiting[sample] += texts[sample].finish();
                          ended[sample] = true;
                          show();
                          return;
                      }
                      std::string text = texts[sample].add(tokenizer.token_bytes(token.id));
                      text = terminal ? without_controls(text) : text;
                      waiting[sample] +=
                          colour && !text.empty() ? in_expert_colour(text, token.expert) : text;
                      if (token.expert != no_expert) {
                          ++expert_tokens[size_t(token.expert)];
                      }
                      show();
                  });
    for (size_t sample = 0; sample < texts.size(); ++sample) {
        waiting[sample] += texts[sample].finish();
        ended[sample] = true;
    }
    show();
    if (options.show_experts && !expert_tokens.empty()) {
        fmt::print("\n{}", expert_counts(expert_tokens, line_width(STDOUT_FILENO), colour));
    }
    return 0;
}

}  // namespace

Command add_generate(Arguments arguments) {
    auto options = std::make_shared<GenerateOptions>();
    Sampling& sampling = options->sampling;
    arguments.path("run", options->run, "run directory").required().called("DIR");
    arguments.text("--prompt", options->prompt, "text to go on from");
    arguments.choice("--sampling", sampling.kind, {"greedy", "multinomial", "nucleus"},
                     "how the next token is chosen");
    arguments.number("--temperature", sampling.temperature,
                     "below 1 bolder in the likely, above 1 wilder");
    arguments.number("--top-p", sampling.top_p,
                     "nucleus: probability that the kept tokens must pass");
    arguments.number("--top-k", sampling.top_k, "keep only the k likeliest tokens; 0: all");
    arguments.number("--samples", options->samples, "texts to write");
    arguments.number("--max-tokens", options->max_tokens,
                     "most new tokens of a text; 0: as many as fit");
    arguments.number("--seed", options->seed, "the same seed gives the same text");
    arguments.choice("--precision", options->precision, names_of<Precision>(),
                     "how the model's weights are read; bfloat16 is up to twice as fast");
    arguments.flag("--show-experts", options->show_experts, "colour each token by its expert");
    return [options] { return generate(*options); };
}

}  // namespace smoe
