// UTF-8 against a slow and obvious second opinion: encode every code point, and try every short
// byte sequence.
// Read next: file_test.cpp.
#include "core/utf8.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <string>

using namespace smoe;

namespace {

std::string encode(uint32_t code) {
    if (code < 0x80) {
        return {char(code)};
    }
    if (code < 0x800) {
        return {char(0xC0 | code >> 6), char(0x80 | (code & 63))};
    }
    if (code < 0x10000) {
        return {char(0xE0 | code >> 12), char(0x80 | (code >> 6 & 63)), char(0x80 | (code & 63))};
    }
    return {char(0xF0 | code >> 18), char(0x80 | (code >> 12 & 63)), char(0x80 | (code >> 6 & 63)),
            char(0x80 | (code & 63))};
}

bool is_character(uint32_t code) {
    return code < 0xD800 || (code > 0xDFFF && code <= 0x10FFFF);
}

}  // namespace

TEST_CASE("utf8: exactly the code points that exist are valid, whole or cut short") {
    for (uint32_t code = 0; code < 0x200000; ++code) {
        const std::string bytes = encode(code);
        if (valid_utf8(bytes) != is_character(code)) {
            FAIL("code point ", code);
        }
        for (size_t cut = 1; is_character(code) && cut < bytes.size(); ++cut) {
            const std::string text = std::string("a").append(bytes, 0, cut);
            if (complete_utf8_prefix(text) != 1 || valid_utf8_prefix(text) != 1) {
                FAIL("code point ", code, " cut after ", cut, " bytes");
            }
        }
        if (complete_utf8_prefix(bytes) != bytes.size()) {
            FAIL("code point ", code, " is held back");
        }
    }
}

TEST_CASE("utf8: every sequence of up to three bytes is judged as the encoder would") {
    std::set<std::string> characters;  // of two and three bytes
    for (uint32_t code = 0x80; code < 0x10000; ++code) {
        if (is_character(code)) {
            characters.insert(encode(code));
        }
    }
    for (uint32_t word = 0; word < 0x10000; ++word) {
        const std::string two = {char(word >> 8), char(word & 255)};
        const bool ascii = word >> 8 < 0x80 && (word & 255) < 0x80;
        if (valid_utf8(two) != (ascii || characters.count(two) == 1)) {
            FAIL("bytes ", word);
        }
        const std::string three = {char(0xE2), two[0], two[1]};
        const bool expected = characters.count(three) == 1;
        if (valid_utf8(three) != expected) {
            FAIL("bytes E2 and ", word);
        }
    }
}

TEST_CASE("utf8: offsets and rests") {
    CHECK(valid_utf8(""));
    CHECK(valid_utf8(std::string_view("\0a", 2)));
    CHECK(valid_utf8_prefix("ab\x80") == 2);
    CHECK(valid_utf8_prefix("\u00E4\u20AC\xFFz") == 5);
    CHECK(valid_utf8_prefix("a\xE2\x82") == 1);
    CHECK(complete_utf8_prefix("") == 0);
    CHECK(complete_utf8_prefix("abc") == 3);
    CHECK(complete_utf8_prefix("a\xF0\x9F\x98") == 1);
    CHECK(complete_utf8_prefix("a\xF0\x9F\x98\x80") == 5);
    CHECK(complete_utf8_prefix("\xE2\x82") == 0);
    // No continuation could save these, so they are not held back.
    CHECK(complete_utf8_prefix("a\x80\x80\x80") == 4);
    CHECK(complete_utf8_prefix("a\xC0") == 2);
    CHECK(complete_utf8_prefix("a\xED\xA0") == 3);
    CHECK(complete_utf8_prefix("a\xF5\x80") == 3);
    // An unfinished character counts only at the very end.
    CHECK(complete_utf8_prefix("\xE2\x82 a") == 4);
    CHECK(complete_utf8_prefix("\xFF\xE2\x82") == 1);
}
