// Fuzz target: arbitrary bytes through the tokenizer and back, word by word and without words.
// Nothing in a text may become the end of text.
// Read next: fuzz.h, what every target has in common.
#include <vector>

#include "models/text/tokenizer.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace smoe;
    const std::string_view text = text_of(data, size);
    for (const PreTokenizer pre : {PreTokenizer::gpt2, PreTokenizer::none}) {
        may_refuse([&] {  // for text full of the end-of-text token
            const std::string_view stories[] = {text, text};
            const Tokenizer tokenizer = Tokenizer::train(stories, 300, pre);
            const std::vector<int32_t> ids = tokenizer.encode(text);
            require(tokenizer.decode(ids) == text);
            for (const int32_t id : ids) {
                require(id >= 0 && id < tokenizer.end_of_text());
            }
        });
    }
    return 0;
}
