// run_program: a shell command with its output in files.
#include "tests/examples/program.h"

#include <sys/wait.h>

#include <cstdlib>

#include "core/check.h"
#include "core/file.h"

namespace smoe {

Outcome run_program(const std::string& folder, const std::string& arguments) {
    const char* const program = std::getenv("SMOE_PROGRAM");
    check(program != nullptr,
          "SMOE_PROGRAM must name the program to test; `make test` sets it (tests/run.sh)");
    const std::string out = folder + "/stdout.txt", err = folder + "/stderr.txt";
    const std::string command = "cd '" + folder + "' && '" + program + "' " + arguments + " >'" +
                                out + "' 2>'" + err + "' </dev/null";
    const int status = std::system(command.c_str());
    return {.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            .out = read_file(out),
            .err = read_file(err)};
}

}  // namespace smoe
