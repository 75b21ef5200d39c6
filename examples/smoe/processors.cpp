// Read next: program.cpp, which asks for the default.
#include "examples/smoe/processors.h"

#include <unistd.h>

#include <algorithm>
#if defined(__linux__)
#include <sched.h>
#endif

#include "core/processes.h"
#include "core/threads.h"
#include "examples/smoe/printing.h"

namespace smoe {
namespace {

int share() {
    return std::max(1, int(::sysconf(_SC_NPROCESSORS_ONLN)) / processes_here());
}

}  // namespace

int default_threads() {
    return process_count() == 1 ? threads() : std::min(threads(), share());
}

void say_if_bound() {
#if defined(__linux__)
    cpu_set_t own;
    if (process_count() > 1 && ::sched_getaffinity(0, sizeof own, &own) == 0 &&
        CPU_COUNT(&own) < std::max(share(), threads())) {
        say("each process is bound to {} of {} processors; mpirun --bind-to none lets it use more",
            CPU_COUNT(&own), ::sysconf(_SC_NPROCESSORS_ONLN));
    }
#endif
}

}  // namespace smoe
