// What a call complains about, for tests of messages. It catches Error only: anything else that is
// thrown is a failure of the test.
// Read next: the tests that include it.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "core/check.h"

namespace smoe {

// The message of the Error that call() throws; "accepted" if it throws none.
template <class Call>
std::string error_of(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "accepted";
}

// The call must throw an Error.
inline void check_refused(const std::string& what, const std::function<void()>& call) {
    CHECK_MESSAGE(error_of(call) != "accepted", what << " should be refused");
}

}  // namespace smoe

// What a failed CHECK prints of a vector.
template <class T>
struct doctest::StringMaker<std::vector<T>> {
    static String convert(const std::vector<T>& numbers) {
        String text = "{";
        for (size_t i = 0; i < numbers.size() && i < 12; ++i) {
            text += (i ? ", " : "") + toString(numbers[i]);
        }
        return text + (numbers.size() > 12 ? ", ...}" : "}");
    }
};
