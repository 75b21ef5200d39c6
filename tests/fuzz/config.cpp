// Fuzz target: a config.json. What is accepted must be the same when it is written and read again.
// Nothing is trained with it.
// Read next: fuzz.h, what every target has in common.
#include "models/training/config.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace smoe;
    may_refuse([&] {
        const Config config = config_from_json(std::string(text_of(data, size)), "input");
        const std::string json = to_json(config);
        require(to_json(config_from_json(json, "again")) == json);
    });
    return 0;
}
