// smoe tokenize: text files in, one token file out, which smoe train reads from disk. The text is
// read piece by piece, so it may be larger than memory.
// Read next: train.cpp; models/text/token_file.h, what is written.
#include <chrono>
#include <filesystem>
#include <memory>

#include "core/check.h"
#include "core/file.h"
#include "core/format.h"
#include "examples/smoe/commands.h"
#include "examples/smoe/interruption.h"
#include "examples/smoe/options.h"
#include "examples/smoe/outputs.h"
#include "examples/smoe/printing.h"
#include "models/text/story_reader.h"
#include "models/text/token_file.h"
#include "models/training/progress.h"

namespace smoe {
namespace {

using Clock = std::chrono::steady_clock;

struct TokenizeOptions {
    std::vector<std::string> text;
    std::string tokenizer, out;
};

struct Interrupted {};

// The stories of several files in pieces, and a line that says how far that is.
class Reading {
  public:
    explicit Reading(const std::vector<std::string>& paths) : paths_(paths) {
        for (const std::string& path : paths) {
            std::error_code error;
            const auto size = std::filesystem::file_size(path, error);
            has_pipe_ = has_pipe_ || error;
            all_bytes_ += error ? 0 : int64_t(size);
        }
    }

    // For write_token_file.
    bool next(std::vector<Story>& stories) {
        if (interrupted()) {
            throw Interrupted();
        }
        if (!reader_) {
            if (file_ == paths_.size()) {
                line_.finish();
                return false;
            }
            reader_ = std::make_unique<StoryReader>(paths_[file_]);
        }
        if (!reader_->read(stories)) {
            bytes_before_ += reader_->bytes_read();
            reader_.reset();
            ++file_;
            return true;
        }
        for (const Story& story : stories) {
            text_bytes_ += int64_t(story.text.size());
        }
        show();
        return true;
    }

    int64_t text_bytes() const { return text_bytes_; }  // of the stories

    ProgressLine& line() { return line_; }

  private:
    // On a terminal now and then, elsewhere seldom.
    void show() {
        using Seconds = std::chrono::duration<double>;
        const Clock::time_point now = Clock::now();
        if (now - shown_ < Seconds(line_.overwrites() ? 0.5 : 30)) {
            return;
        }
        shown_ = now;
        const int64_t bytes = bytes_before_ + reader_->bytes_read();
        const double speed = double(bytes) / Seconds(now - start_).count();
        std::string text =
            fmt::format("{} read, {}/s", format_bytes(bytes), format_bytes(int64_t(speed)));
        if (!has_pipe_ && all_bytes_ >= bytes) {
            text = fmt::format("{:3.0f} %  {} of {}, {}/s, left {}",
                               100 * double(bytes) / double(all_bytes_), format_bytes(bytes),
                               format_bytes(all_bytes_), format_bytes(int64_t(speed)),
                               format_duration(double(all_bytes_ - bytes) / speed));
        }
        line_.show(text);
    }

    const std::vector<std::string>& paths_;
    size_t file_ = 0;
    std::unique_ptr<StoryReader> reader_;
    int64_t all_bytes_ = 0, bytes_before_ = 0, text_bytes_ = 0;
    bool has_pipe_ = false;  // whose size nobody knows
    ProgressLine line_;
    Clock::time_point start_ = Clock::now(), shown_ = start_;
};

int tokenize(const TokenizeOptions& options) {
    check(lower_case_ending(options.out) == token_file_ending,
          "'{}' would be taken for text: give it the ending {}", options.out, token_file_ending);
    require_readable(options.text);
    require_replaceable_file(options.out, "a token file of smoe tokenize", is_token_file);
    require_writable(options.out);
    const Tokenizer tokenizer =
        Tokenizer::from_json(read_file(options.tokenizer), options.tokenizer);
    watch_for_interruption();
    Reading reading(options.text);
    TokenFooter footer;
    try {
        footer = write_token_file(options.out, tokenizer, [&](std::vector<Story>& stories) {
            return reading.next(stories);
        });
    } catch (const Interrupted&) {
        reading.line().finish();
        say("interrupted; nothing was written");
        return 130;
    } catch (...) {
        reading.line().finish();  // so that the message begins a line of its own
        throw;
    }
    const int64_t tokens = int64_t(footer.tokens - footer.stories);
    say("{}: {} stories, {}; {} tokens, {:.2f} bytes each; vocabulary {}", options.out,
        format_count(int64_t(footer.stories)), format_bytes(reading.text_bytes()),
        format_count(tokens), double(reading.text_bytes()) / double(tokens),
        format_count(int64_t(footer.vocab_size)));
    return 0;
}

}  // namespace

Command add_tokenize(Arguments arguments) {
    auto options = std::make_shared<TokenizeOptions>();
    arguments.paths("text", options->text, "text: .txt, .jsonl, .csv or .tsv").required();
    arguments
        .path("--tokenizer", options->tokenizer,
              "tokenizer.json, of smoe tokenizer train or of a run; the token file keeps it inside")
        .required();
    arguments.path("-o,--out", options->out, "token file to write, with the ending .tokens")
        .required();
    return [options] { return tokenize(*options); };
}

}  // namespace smoe
