// Fuzz target: a token file. What is accepted must not hold more tokens than the file has bytes, and
// every story of it can be asked for: it gives tokens of the vocabulary, or it is refused.
// Read next: fuzz.h, what every target has in common.
#include "models/text/token_file.h"

#include <cstring>
#include <vector>

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace smoe;
    std::vector<uint64_t> words(size / sizeof(uint64_t) + 1);  // where a mapping would begin
    std::memcpy(words.data(), data, size);
    may_refuse([&] {
        const TokenFile file({reinterpret_cast<const char*>(words.data()), size}, "input");
        const TokenStories stories({file.part()});
        require(uint64_t(stories.size()) <= size);
        for (int64_t i = 0; i < stories.size(); ++i) {
            require(stories.length(i) >= 1 && uint64_t(stories.length(i)) <= size);
            require(size_t(stories.domain(i)) < stories.domain_names().size());
            may_refuse([&] {
                std::vector<int32_t> tokens(static_cast<size_t>(stories.length(i)));
                stories.read(i, 0, tokens);
                for (const int32_t token : tokens) {
                    require(token >= 0 && token < file.vocab_size());
                }
            });
        }
        require(file.tokenizer().vocab_size() == file.vocab_size());
    });
    return 0;
}
