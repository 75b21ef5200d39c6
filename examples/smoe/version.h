// The version number of the program, and how this build of it was made.
// Read next: main.cpp.
#pragma once

#include <string>

namespace smoe {

inline constexpr const char* version = "0.1.0";

// Two lines: name and number; compiler, matrix product, and the processor instructions that it was
// compiled for and cannot run without.
std::string version_text();

}  // namespace smoe
