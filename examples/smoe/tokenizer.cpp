// smoe tokenizer: train one, encode text to ids, decode ids to text. Ids are numbers in decimal,
// separated by blanks, for other programs to read.
// Read next: train.cpp.
#include <algorithm>
#include <charconv>
#include <iterator>
#include <memory>

#include <filesystem>

#include "core/check.h"
#include "core/file.h"
#include "core/format.h"
#include "core/terminal.h"
#include "core/text.h"
#include "examples/smoe/commands.h"
#include "examples/smoe/options.h"
#include "examples/smoe/outputs.h"
#include "examples/smoe/printing.h"
#include "models/text/story_reader.h"
#include "models/text/tokenizer.h"

namespace smoe {
namespace {

struct TokenizerOptions {
    std::vector<std::string> data;
    std::string tokenizer, out, pre_tokenizer = "gpt2";
    int entries = 2048;
};

Tokenizer load(const std::string& path) {
    return Tokenizer::from_json(read_file(path), path);
}

int train(const TokenizerOptions& options) {
    const std::filesystem::path out = options.out;
    const bool in_run = out.filename() == "tokenizer.json" && file_exists(options.out) &&
                        file_exists(std::filesystem::path(out).replace_filename("config.json"));
    check(!in_run, "'{}' is the tokenizer of a run, which needs it as it is: choose another name",
          options.out);
    require_replaceable(options.out, "a tokenizer of this program", [&](const std::string& bytes) {
        try {
            return bytes.empty() || Tokenizer::from_json(bytes, options.out).to_json() == bytes;
        } catch (const Error&) {
            return false;
        }
    });
    require_writable(options.out);
    Tokenizer::check_entries(options.entries);
    const std::vector<Story> stories = read_stories(options.data);
    std::vector<std::string_view> texts;
    size_t bytes = 0;
    for (const Story& story : stories) {
        texts.push_back(story.text);
        bytes += story.text.size();
    }
    const Tokenizer tokenizer =
        Tokenizer::train(texts, options.entries, enum_named<PreTokenizer>(options.pre_tokenizer));
    write_file(options.out, tokenizer.to_json());
    say("{} tokens learned from {} stories, {}; written to {}",
        format_count(tokenizer.vocab_size()), format_count(int64_t(stories.size())),
        format_bytes(int64_t(bytes)), options.out);
    return 0;
}

int encode(const TokenizerOptions& options) {
    const std::vector<int32_t> ids = load(options.tokenizer).encode(read_standard_input());
    std::string text;
    for (size_t i = 0; i < ids.size(); ++i) {
        char digits[16];
        text.append(i > 0 ? " " : "");
        text.append(digits, std::to_chars(digits, std::end(digits), ids[i]).ptr);
    }
    text += '\n';
    std::fwrite(text.data(), 1, text.size(), stdout);
    return 0;
}

int decode(const TokenizerOptions& options) {
    const Tokenizer tokenizer = load(options.tokenizer);
    const std::string input = read_standard_input();
    std::vector<int32_t> ids;
    const auto is_blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
    for (auto at = input.begin();
         (at = std::find_if_not(at, input.end(), is_blank)) != input.end();) {
        const auto end = std::find_if(at, input.end(), is_blank);
        const std::string_view word(at, end);
        int32_t id = 0;
        const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), id);
        check(error == std::errc() && rest == word.data() + word.size(),
              "decode: expected token ids separated by spaces, found '{}'", word);
        ids.push_back(id);
        at = end;
    }
    std::string text = tokenizer.decode(ids);
    text = is_terminal(STDOUT_FILENO) ? without_controls(text) : text;
    std::fwrite(text.data(), 1, text.size(), stdout);
    return 0;
}

}  // namespace

Command add_tokenizer(Arguments arguments) {
    auto options = std::make_shared<TokenizerOptions>();
    const Arguments trainer = arguments.command("train", "learn a vocabulary from text");
    trainer.paths("--data", options->data, "text: .txt, .jsonl, .csv or .tsv").required();
    trainer.path("-o,--out", options->out, "tokenizer.json to write").required();
    trainer.number("--entries", options->entries,
                   "size of the vocabulary, end of text not counted");
    trainer.choice("--pre-tokenizer", options->pre_tokenizer, names_of<PreTokenizer>(),
                   "gpt2: merges stay inside words; none: they may cross them");
    const Arguments encoder = arguments.command("encode", "standard input to ids");
    const Arguments decoder = arguments.command("decode", "ids on standard input to text");
    for (const Arguments& command : {encoder, decoder}) {
        command.path("tokenizer", options->tokenizer, "tokenizer.json").required();
    }
    return [=] {
        if (trainer.parsed()) {
            return train(*options);
        }
        if (encoder.parsed()) {
            return encode(*options);
        }
        if (decoder.parsed()) {
            return decode(*options);
        }
        throw UsageError("tokenizer needs to be told what to do: train, encode or decode");
    };
}

}  // namespace smoe
