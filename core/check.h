// Errors for a person. check(condition, "what was expected, {} was found", ...) is the only way
// this project reports bad shapes, bad files and bad settings; the programs print the message as
// one line. Every check always runs: none is an assertion that release builds switch off.
// Read next: shape.h, the first user.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace smoe {

// Something that a person can act on: a file, a setting, a shape. The program exits with 1.
struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The program was called wrongly: unknown option, missing argument. The program exits with 2.
struct UsageError : Error {
    using Error::Error;
};

template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> message, Args&&... args) {
    throw Error(fmt::format(message, std::forward<Args>(args)...));
}

// Throws Error with the formatted message unless `ok`. Formats nothing while all is well.
template <class... Args>
void check(bool ok, fmt::format_string<Args...> message, Args&&... args) {
    if (!ok) [[unlikely]] {
        fail(message, std::forward<Args>(args)...);
    }
}

}  // namespace smoe
