// The program `smoe`, and nothing else.
// Read next: program.cpp.
#include "examples/smoe/program.h"

int main(int argc, char** argv) {
    return smoe::run_program(argc, argv);
}
