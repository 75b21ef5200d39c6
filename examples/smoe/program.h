// The program `smoe` as a function, so that another program can be it with routers, mask families and
// layers of its own registered: tests/examples/extension_test.cpp is one.
// Read next: program.cpp, commands.h.
#pragma once

namespace smoe {

// What main does with its arguments; the result is the exit status: 0 done, 1 an error, 2 wrong usage,
// 130 interrupted. Must be called before any thread starts: it may run the executable anew, with
// the same arguments, to set up threads.
int run_program(int argc, char** argv);

}  // namespace smoe
