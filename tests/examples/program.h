// Runs the program `smoe` as a user does, and collects what it printed.
// The program is built in float only, so its tests are part of the float build only.
//
// Read next: program_test.cpp.
#pragma once

#include <string>

namespace smoe {

struct Outcome {
    int status = -1;  // exit status, or 128 + the number of the signal that ended it
    std::string out, err;
};

// `smoe ARGUMENTS` in a shell whose working folder is `folder`. The program is the one that the
// environment variable SMOE_PROGRAM names; throws Error if it is not set.
Outcome run_program(const std::string& folder, const std::string& arguments);

}  // namespace smoe
