// Fuzz target: a file of stories. The first byte picks the kind. What is accepted must hold text,
// and no more of it than the file.
// Read next: fuzz.h, what every target has in common.
#include <array>

#include "models/text/story_reader.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace smoe;
    if (size == 0) {
        return 0;
    }
    const std::array names = {"input.txt", "input.csv", "input.jsonl"};
    may_refuse([&] {
        size_t bytes = 0;
        for (const Story& story :
             parse_stories(text_of(data + 1, size - 1), names.at(data[0] % names.size()))) {
            bytes += story.text.size();
        }
        require(bytes > 0 && bytes <= size);
    });
    return 0;
}
