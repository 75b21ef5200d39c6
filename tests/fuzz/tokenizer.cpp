// Fuzz target: a tokenizer.json. What is accepted must be the same when it is written and read
// again, and must lose no byte of a text.
// Read next: fuzz.h, what every target has in common.
#include "models/text/tokenizer.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace smoe;
    may_refuse([&] {
        const Tokenizer tokenizer = Tokenizer::from_json(text_of(data, size), "input");
        // What can be read is the same when it is written and read again, and loses no byte.
        require(Tokenizer::from_json(tokenizer.to_json(), "again").hash() == tokenizer.hash());
        const std::string_view text = text_of(data, size < 300 ? size : 300);
        require(tokenizer.decode(tokenizer.encode(text)) == text);
    });
    return 0;
}
