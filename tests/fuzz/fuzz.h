// What the fuzz targets share. Each target hands arbitrary bytes to one reader. The reader may
// refuse them with an Error and in no other way. What it accepts must survive being written and
// read again. `make fuzz SECONDS=60` builds them with libFuzzer, AddressSanitizer and
// UndefinedBehaviorSanitizer and starts from seeds/. Every crash it finds becomes a test case of
// the reader.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/check.h"

namespace smoe {

// Runs body; an Error is an answer, anything else ends the fuzzer.
template <class Body>
void may_refuse(const Body& body) {
    try {
        body();
    } catch (const Error&) {
    }
}

// Ends the fuzzer with a report of the input.
inline void require(bool ok) {
    if (!ok) {
        std::abort();
    }
}

inline std::string_view text_of(const uint8_t* data, size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

}  // namespace smoe
