// A number that stands for bytes, so that two files, or a word and an entry of a table, can be told
// apart without comparing them whole. It is not cryptographic: two texts with the same number can
// be found on purpose.
// Read next: models/text/tokenizer.cpp, which looks up words by it.
#pragma once

#include <cstdint>
#include <string_view>

namespace smoe {

// FNV-1a, 64 bit (Fowler, Noll, Vo 1991). The hash of bytes that come in parts: hand in that of the
// parts before.
constexpr uint64_t hash_of_nothing = 0xCBF29CE484222325;
uint64_t hash_bytes(std::string_view bytes, uint64_t before = hash_of_nothing);

// Another number for each number, of which each bit depends on all bits (the end of MurmurHash3,
// Appleby 2011). FNV-1a leaves the upper bits of a hash unchanged by the last bytes.
constexpr uint64_t mixed_bits(uint64_t number) {
    number = (number ^ number >> 33) * 0xFF51AFD7ED558CCD;
    number = (number ^ number >> 33) * 0xC4CEB9FE1A85EC53;
    return number ^ number >> 33;
}

}  // namespace smoe
