// smoe corpus: writes the built-in corpus as train.jsonl and valid.jsonl, each story with its
// domain. The stories come from models/text/corpus.
// Read next: tokenizer.cpp.
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/file.h"
#include "core/format.h"
#include "examples/smoe/commands.h"
#include "examples/smoe/options.h"
#include "examples/smoe/outputs.h"
#include "examples/smoe/printing.h"
#include "models/text/corpus/corpus.h"

namespace smoe {
namespace {

struct CorpusOptions {
    std::string out;
    int64_t stories = 20000, valid_stories = 1000;
    uint64_t seed = 1;
};

// Is every line one of this corpus? {"text":"...","domain":"english"}
bool is_corpus(std::string_view bytes) {
    for (size_t end = 0; !bytes.empty(); bytes.remove_prefix(std::min(end + 1, bytes.size()))) {
        end = std::min(bytes.find('\n'), bytes.size());
        const std::string_view line = bytes.substr(0, end);
        const auto ends_line = [&](std::string_view domain) {
            return line.ends_with(fmt::format(R"(","domain":"{}"}})", domain));
        };
        if (!line.starts_with(R"({"text":")") ||
            std::none_of(corpus_domains().begin(), corpus_domains().end(), ends_line)) {
            return false;
        }
    }
    return true;
}

void write_stories(const std::string& path, uint64_t seed, int64_t begin, int64_t end) {
    int64_t bytes = 0;
    write_file(path, [&](const Append& append) {
        for (int64_t index = begin; index < end; ++index) {
            const Story story = corpus_story(seed, uint64_t(index));
            append(nlohmann::ordered_json{{"text", story.text}, {"domain", story.domain}}.dump() +
                   "\n");
            bytes += int64_t(story.text.size());
        }
    });
    say("{}: {} stories, {}", path, format_count(end - begin), format_bytes(bytes));
}

int write_corpus(const CorpusOptions& options) {
    constexpr int64_t most = 100000000;
    check(options.stories >= 1 && options.valid_stories >= 1 && options.stories <= most &&
              options.valid_stories <= most,
          "--stories and --valid-stories must be from 1 to {}, found {} and {}", most,
          options.stories, options.valid_stories);
    const std::string train = options.out + "/train.jsonl", valid = options.out + "/valid.jsonl";
    require_replaceable(train, "a file of smoe corpus", is_corpus);
    require_replaceable(valid, "a file of smoe corpus", is_corpus);
    require_writable_folder(options.out);
    make_folder(options.out);
    require_writable(train);
    // Held-out stories come first, so that asking for more training text never reaches into them.
    write_stories(valid, options.seed, 0, options.valid_stories);
    write_stories(train, options.seed, options.valid_stories,
                  options.valid_stories + options.stories);
    suggest("train a model on it:",
            fmt::format("train --data {} --valid {}", shell_path(train), shell_path(valid)));
    return 0;
}

}  // namespace

Command add_corpus(Arguments arguments) {
    auto options = std::make_shared<CorpusOptions>();
    arguments.path("-o,--out", options->out, "folder to write to").required().called("DIR");
    arguments.number("--stories", options->stories, "stories to train on");
    arguments.number("--valid-stories", options->valid_stories, "stories to hold out");
    arguments.number("--seed", options->seed, "another seed, other stories");
    return [options] { return write_corpus(*options); };
}

}  // namespace smoe
