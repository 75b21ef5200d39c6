// The one place that builds the tests' main; the other tests are lists of cases. With
// SMOE_AS_PROGRAM set it is the program `smoe` instead, and knows whatever the tests have registered.
// Read next: core/shape_test.cpp, the first in the order of the layers.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>

#ifndef SMOE_DOUBLE  // the program is built in float only
#include "examples/smoe/program.h"
#endif

int main(int argc, char** argv) {
#ifndef SMOE_DOUBLE
    if (std::getenv("SMOE_AS_PROGRAM") != nullptr) {
        return smoe::run_program(argc, argv);
    }
#endif
    return doctest::Context(argc, argv).run();
}
