// A number that stands for bytes, so that two files, or a word and an entry of a table, can be told
// apart without comparing them whole. It is not cryptographic: two texts with the same number can
// be found on purpose.
// Read next: models/text/tokenizer.cpp, which looks up words by it.
#pragma once

#include <cstdint>
#include <string_view>

namespace smoe {

// FNV-1a, 64 bit (Fowler, Noll, Vo 1991).
uint64_t hash_bytes(std::string_view bytes);

}  // namespace smoe
