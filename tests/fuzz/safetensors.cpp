// Fuzz target: a safetensors file. What is accepted must not hold more numbers than the file has
// bytes: a header alone must not cost memory.
// Read next: fuzz.h, what every target has in common.
#include "core/safetensors.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace smoe;
    may_refuse([&] {
        const TensorFile file = parse_safetensors(text_of(data, size), "input");
        int64_t numbers = 0;
        for (const auto& [name, tensor] : file.tensors) {
            numbers += tensor.numel();
        }
        require(numbers <= int64_t(size));  // each takes a byte at least
    });
    return 0;
}
