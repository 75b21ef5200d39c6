// The tokenizer: megabytes (10^6 bytes) of text per second, encoding on one thread and on all, and
// learning a vocabulary.
// Read next: models/text/tokenizer.h.
#include <fmt/core.h>

#include "core/threads.h"
#include "tests/bench/bench.h"
#include "tests/bench/text.h"

namespace smoe::bench {

void measure_tokenizer(const Options& options, Table& table) {
    const std::vector<Story> stories = load_stories(options.data);
    const std::vector<std::string_view> texts = texts_of(stories);
    double bytes = 0;
    for (const std::string_view text : texts) {
        bytes += double(text.size());
    }
    table.section(fmt::format("Tokenizer: {} stories, {:.1f} MB", stories.size(), bytes / 1e6));
    for (const auto& [pre, name] : {std::pair(PreTokenizer::gpt2, "words of gpt2"),
                                    std::pair(PreTokenizer::none, "no words")}) {
        const auto learn = [&, pre = pre] { return Tokenizer::train(texts, 2048, pre); };
        const Tokenizer tokenizer = learn();
        const double least = options.min_seconds();
        const auto encode_all = [&] {
            return seconds_per_call(least, [&] { tokenizer.encode_all(texts); });
        };
        const std::vector<Samples> seconds = take_turns(
            options.repetitions(), {[&] {
                                        return seconds_per_call(least, [&] {
                                            for (const std::string_view text : texts) {
                                                tokenizer.encode(text);
                                            }
                                        });
                                    },
                                    [&] {
                                        const int all = threads();
                                        set_threads(1);
                                        const double time = encode_all();
                                        set_threads(all);
                                        return time;
                                    },
                                    encode_all, [&] { return seconds_per_call(least, learn); }});
        const std::string whats[] = {"encode story by story, one thread",
                                     "encode all at once, one thread",
                                     fmt::format("encode all at once, {} threads", threads()),
                                     fmt::format("learn 2048 entries, {} threads", threads())};
        for (size_t i = 0; i < seconds.size(); ++i) {
            table.add({.what = fmt::format("{}, {}", whats[i], name),
                       .unit = "MB/s",
                       .value = map(seconds[i], [&](double s) { return bytes / 1e6 / s; })});
        }
    }
}

}  // namespace smoe::bench
