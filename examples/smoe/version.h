// What the program says of itself: its version, and how this build of it was made.
// Read next: main.cpp; core/version.h, the number.
#pragma once

#include <string>

namespace smoe {

// Two lines: name and number; compiler, matrix product, and the processor instructions that it was
// compiled for and cannot run without.
std::string version_text();

}  // namespace smoe
