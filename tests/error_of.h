// What a call complains about, for tests of messages. It catches Error only: anything else that is
// thrown is a failure of the test.
// Read next: the tests that include it.
#pragma once

#include <string>

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

}  // namespace smoe
