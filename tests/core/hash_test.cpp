// The hash against the values that its authors published.
// Read next: file_test.cpp.
#include "core/hash.h"

#include <doctest/doctest.h>

#include <bit>

namespace smoe {

TEST_CASE("hash_bytes: the published values of FNV-1a") {
    CHECK(hash_bytes("") == 0xcbf29ce484222325);
    CHECK(hash_bytes("a") == 0xaf63dc4c8601ec8c);
    CHECK(hash_bytes("foobar") == 0x85944171f73967e8);
    CHECK(hash_bytes("\xFF") != hash_bytes("\x7F"));
    CHECK(hash_bytes(std::string_view("\0", 1)) != hash_bytes(""));
    CHECK(hash_bytes("bar", hash_bytes("foo")) == hash_bytes("foobar"));
}

TEST_CASE("mixed_bits: the published finaliser, and each bit moves half of all") {
    CHECK(mixed_bits(0) == 0);
    CHECK(mixed_bits(1) == 0xB456BCFC34C2CB2C);
    for (int bit = 0; bit < 64; ++bit) {
        int moved = 0;
        for (uint64_t number = 1; number <= 64; ++number) {
            moved += std::popcount(mixed_bits(number) ^ mixed_bits(number ^ uint64_t(1) << bit));
        }
        CHECK(moved > 64 * 26);
        CHECK(moved < 64 * 38);
    }
}

}  // namespace smoe
