// FNV-1a: a byte is mixed in, then a product spreads it over all 64 bits.
// Read next: tests/core/hash_test.cpp.
#include "core/hash.h"

namespace smoe {

uint64_t hash_bytes(std::string_view bytes, uint64_t before) {
    uint64_t hash = before;
    for (const char byte : bytes) {
        hash = (hash ^ uint8_t(byte)) * 0x100000001B3;
    }
    return hash;
}

}  // namespace smoe
