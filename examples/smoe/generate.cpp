// smoe generate: a trained model writes on standard output, token by token. A terminal gets valid
// UTF-8 without control characters, whatever bytes the model writes; a pipe gets the control
// characters too. With --json it gets one object for each text.
// Read next: serve.cpp; models/generation/generator.h, where the tokens come from.
#include <unistd.h>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/file.h"
#include "core/terminal.h"
#include "examples/smoe/commands.h"
#include "examples/smoe/options.h"
#include "examples/smoe/tables.h"
#include "examples/smoe/token_json.h"
#include "examples/smoe/token_text.h"
#include "models/generation/generator.h"
#include "models/generation/stop_strings.h"
#include "models/training/expert_colours.h"
#include "models/training/run_directory.h"

namespace smoe {
namespace {

struct GenerateOptions {
    std::string run, prompt, prompt_file, precision = name_of(Precision::bfloat16);
    std::vector<std::string> stops;
    Sampling sampling;
    int64_t samples = 1, max_tokens = 0;
    uint64_t seed = 1;
    bool standard_input = false, show_experts = false, json = false;
};

// Text from a file or a pipe, which usually ends with an end of line that nobody meant.
std::string without_last_line_end(std::string text) {
    if (text.ends_with('\n')) {
        text.pop_back();
    }
    return text;
}

std::string prompt_of(const GenerateOptions& options) {
    return options.standard_input         ? without_last_line_end(read_standard_input())
           : !options.prompt_file.empty() ? without_last_line_end(read_file(options.prompt_file))
                                          : options.prompt;
}

// What is done with the texts of all samples while they grow.
class Output {
  public:
    virtual ~Output() = default;
    // `text` is what is known to stand in front of every stop string since this token came.
    virtual void add(const Generator::Token& token, std::string_view text, bool of_prompt) = 0;
    // `text` is what was held back, and `stop` the stop string that ended it, or "".
    virtual void end(int64_t sample, std::string_view text, End why, const std::string& stop) = 0;
    virtual void finish() = 0;
};

// For people. All samples are written at once, but shown one after the other: the first as it
// comes, each of the others when those before it have ended.
class Shown : public Output {
  public:
    Shown(const GenerateOptions& options, int64_t num_experts)
        : experts_(options.show_experts),
          colour_(options.show_experts && wants_colour(STDOUT_FILENO, true)),
          texts_(static_cast<size_t>(options.samples)),
          expert_tokens_(size_t(num_experts), 0) {}

    void add(const Generator::Token& token, std::string_view text, bool) override {
        add_text(token.sample, texts_[size_t(token.sample)].text.add(text), token.expert);
        if (token.expert != no_expert && !expert_tokens_.empty()) {
            ++expert_tokens_[size_t(token.expert)];
        }
    }
    void end(int64_t sample, std::string_view text, End, const std::string&) override {
        One& one = texts_[size_t(sample)];
        add_text(sample, one.text.add(text) + one.text.finish(), no_expert);
        one.ended = true;
        show();
    }
    void finish() override {
        if (experts_ && !expert_tokens_.empty()) {
            fmt::print("\n{}", expert_counts(expert_tokens_, line_width(STDOUT_FILENO), colour_));
        }
    }

  private:
    struct One {
        TokenText text;
        std::string waiting;
        bool ended = false;
    };

    void add_text(int64_t sample, std::string text, int32_t expert) {
        text = terminal_ ? without_controls(text) : text;
        texts_[size_t(sample)].waiting +=
            colour_ && !text.empty() ? in_expert_colour(text, expert) : text;
        show();
    }

    void show() {
        while (shown_ < texts_.size()) {
            fmt::print("{}", std::exchange(texts_[shown_].waiting, ""));
            if (!texts_[shown_].ended) {
                break;
            }
            fmt::print("\n{}", shown_ + 1 < texts_.size() ? "\n---\n\n" : "");
            ++shown_;
        }
        std::fflush(stdout);
    }

    bool experts_, colour_, terminal_ = is_terminal(STDOUT_FILENO);
    std::vector<One> texts_;
    size_t shown_ = 0;
    std::vector<int64_t> expert_tokens_;
};

// For other programs: a line of JSON for each text.
class JsonLines : public Output {
  public:
    JsonLines(const GenerateOptions& options, const std::string& prompt, const Tokenizer& tokenizer)
        : tokenizer_(tokenizer), texts_(static_cast<size_t>(options.samples)) {
        for (size_t sample = 0; sample < texts_.size(); ++sample) {
            texts_[sample].line = {{"sample", sample},
                                   {"seed", options.seed},
                                   {"prompt", to_valid_utf8(prompt)},
                                   {"text", ""},
                                   {"ended_by", ""},
                                   {"stop", nullptr},
                                   {"tokens", Json::array()}};
        }
    }

    void add(const Generator::Token& token, std::string_view text, bool of_prompt) override {
        One& one = texts_[size_t(token.sample)];
        if (!of_prompt) {
            one.text += text;
            one.line["tokens"].push_back(token_json(token, tokenizer_));
        }
    }
    void end(int64_t sample, std::string_view text, End why, const std::string& stop) override {
        One& one = texts_[size_t(sample)];
        one.line["text"] = to_valid_utf8(one.text.append(text));
        one.line["ended_by"] = name_of(why);
        one.line["stop"] = stop.empty() ? Json() : Json(to_valid_utf8(stop));
    }
    void finish() override {
        for (const One& one : texts_) {
            fmt::print("{}\n", one.line.dump(-1, ' ', is_terminal(STDOUT_FILENO)));
        }
    }

  private:
    using Json = nlohmann::ordered_json;
    struct One {
        std::string text;
        Json line;
    };

    const Tokenizer& tokenizer_;
    std::vector<One> texts_;
};

void write_texts(Generator& generator, const TextRequest& request, const Tokenizer& tokenizer,
                 const std::vector<std::string>& stops, Output& output) {
    struct Writing {
        StopStrings stop;
        size_t tokens = 0;
    };
    std::vector<Writing> texts(size_t(request.samples), Writing{.stop = StopStrings(stops)});
    generator.run(
        request,
        [&](const Generator::Token& token) {
            Writing& one = texts[size_t(token.sample)];
            const std::string_view bytes = tokenizer.token_bytes(token.id);
            if (one.tokens++ < request.prompt.size()) {
                output.add(token, bytes, true);
                return;
            }
            output.add(token, one.stop.add(bytes), false);
            if (one.stop.stopped()) {
                generator.leave(token.sample);
                output.end(token.sample, "", End::stop_string, one.stop.found());
            }
        },
        [&](int64_t sample, End why) {
            output.end(sample, texts[size_t(sample)].stop.finish(), why, "");
        });
    output.finish();
}

int generate(const GenerateOptions& options) {
    check(options.samples >= 1 && options.samples <= Generator::max_samples,
          "--samples must be from 1 to {}, found {}", Generator::max_samples, options.samples);
    check(options.max_tokens >= 0, "--max-tokens must not be negative, found {}",
          options.max_tokens);
    check_sampling(options.sampling);
    StopStrings(options.stops);  // which refuses what cannot be one
    const RunDirectory run(options.run);
    const Config config = run.config();
    const Tokenizer tokenizer = run.tokenizer(config);
    const std::string prompt = prompt_of(options);
    const TextRequest request{
        .prompt = tokenizer.encode(prompt),
        .sampling = options.sampling,
        .seed = options.seed,
        .samples = options.samples,
        .max_tokens = options.max_tokens > 0 ? options.max_tokens : config.model.context,
        .log_probabilities = options.json};
    const int64_t longest = config.model.context - 2;  // behind the start token, before a new one
    check(int64_t(request.prompt.size()) <= longest,
          "the prompt has {} tokens, and at most {} leave room for a new one: the model's context "
          "is {}, start token included",
          request.prompt.size(), longest, config.model.context);
    check(!options.show_experts || !router_kinds().find(config.model.router.kind).inside,
          "--show-experts: the router '{}' chooses inside the model, where the experts of a token "
          "are not seen; smoe report shows those of the last block",
          config.model.router.kind);
    const std::unique_ptr<SingleMoe> moe = run.load(config);
    Generator generator(*moe, tokenizer.end_of_text(), options.samples,
                        enum_named<Precision>(options.precision));
    std::unique_ptr<Output> output;
    if (options.json) {
        output = std::make_unique<JsonLines>(options, prompt, tokenizer);
    } else {
        const bool no_experts = moe->router->is_dense() || moe->router->is_inside();
        output = std::make_unique<Shown>(options, no_experts ? 0 : config.model.experts.count);
    }
    write_texts(generator, request, tokenizer, options.stops, *output);
    return 0;
}

}  // namespace

Command add_generate(Arguments arguments) {
    auto options = std::make_shared<GenerateOptions>();
    arguments.path("run", options->run, "run directory").required().called("DIR");
    const Option prompt = arguments.text("--prompt", options->prompt, "text to go on from");
    const Option file = arguments.path("--prompt-file", options->prompt_file,
                                       "file with that text, whose last line end is left out");
    arguments.flag("--stdin", options->standard_input, "read that text from standard input")
        .excludes(prompt)
        .excludes(file);
    file.excludes(prompt);
    Sampling& sampling = options->sampling;
    arguments.choice("--sampling", sampling.kind, {"greedy", "multinomial", "nucleus"},
                     "how the next token is chosen");
    arguments.number("--temperature", sampling.temperature,
                     "below 1 bolder in the likely, above 1 wilder");
    arguments.number("--top-p", sampling.top_p,
                     "nucleus: probability that the kept tokens must pass");
    arguments.number("--top-k", sampling.top_k, "keep only the k likeliest tokens; 0: all");
    arguments.number("--min-p", sampling.min_p,
                     "keep only tokens so many times as likely as the likeliest; 0: all");
    arguments.number("--repetition-penalty", sampling.repetition_penalty,
                     "above 1: what the text has already gets less likely");
    arguments.texts("--stop", options->stops, "end a text where one of these begins");
    arguments.number("--samples", options->samples, "texts to write");
    arguments.number("--max-tokens", options->max_tokens,
                     "most new tokens of a text; 0: as many as fit");
    arguments.number("--seed", options->seed, "the same seed gives the same text");
    arguments.choice("--precision", options->precision, names_of<Precision>(),
                     "how the model's weights are read; bfloat16 is up to twice as fast");
    const Option experts =
        arguments.flag("--show-experts", options->show_experts, "colour each token by its expert");
    arguments
        .flag("--json", options->json,
              "one object for each text: why it ended, and each token with its log probability "
              "and expert")
        .excludes(experts);
    return [options] { return generate(*options); };
}

}  // namespace smoe
