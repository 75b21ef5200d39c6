// Fuzz target: a file of stories. The first byte picks the kind. What is accepted must hold text,
// and no more of it than the file. It may hold a zero byte only where the format can write one as
// an escape. Splitting it must lose nothing.
// Read next: fuzz.h, what every target has in common.
#include <array>

#include "models/text/story_reader.h"
#include "models/text/story_split.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace smoe;
    if (size == 0) {
        return 0;
    }
    const std::array names = {"input.txt",  "input.csv", "input.jsonl",
                              "input.json", "input.tsv", "input.ndjson"};
    may_refuse([&] {
        const std::string name = names.at(data[0] % names.size());
        const std::vector<Story> stories = parse_stories(text_of(data + 1, size - 1), name);
        size_t bytes = 0;
        for (const Story& story : stories) {
            bytes += story.text.size();
            require(name.find("json") != name.npos || story.text.find('\0') == story.text.npos);
        }
        require(bytes > 0 && bytes <= size);
        const StorySplit split = split_stories(stories, 0.25);
        const int64_t all = int64_t(stories.size());
        require(split.train.size() + split.valid.size() == all);
        require(split.valid.size() <= all / 4 && count_known(split) == 0);
    });
    return 0;
}
