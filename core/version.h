// The version of the library and of the program: major.minor.patch. The Makefile reads it here for
// what `make install` writes.
// Read next: .packaging/install.sh; examples/smoe/version.h, what the program says of itself.
#pragma once

// As numbers too, so that #if can compare them.
#define SMOE_VERSION_MAJOR 0
#define SMOE_VERSION_MINOR 1
#define SMOE_VERSION_PATCH 0

#define SMOE_VERSION_TEXT(number) #number
#define SMOE_VERSION_OF(major, minor, patch) \
    SMOE_VERSION_TEXT(major) "." SMOE_VERSION_TEXT(minor) "." SMOE_VERSION_TEXT(patch)
// "0.1.0"
#define SMOE_VERSION SMOE_VERSION_OF(SMOE_VERSION_MAJOR, SMOE_VERSION_MINOR, SMOE_VERSION_PATCH)
