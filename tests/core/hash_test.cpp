// The hash against the values that its authors published.
// Read next: file_test.cpp.
#include "core/hash.h"

#include <doctest/doctest.h>

namespace smoe {

TEST_CASE("hash_bytes: the published values of FNV-1a") {
    CHECK(hash_bytes("") == 0xcbf29ce484222325);
    CHECK(hash_bytes("a") == 0xaf63dc4c8601ec8c);
    CHECK(hash_bytes("foobar") == 0x85944171f73967e8);
    CHECK(hash_bytes("\xFF") != hash_bytes("\x7F"));
    CHECK(hash_bytes(std::string_view("\0", 1)) != hash_bytes(""));
}

}  // namespace smoe
