// Processes in a build without MPI: there is one.
// Read next: processes_mpi.cpp, the same with several.
#include <cstdlib>

#include "core/processes.h"

namespace smoe {

struct Transfer::Requests {};

void start_processes() {
    // What Open MPI and MPICH tell the programs that they start.
    for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
        const char* const count = std::getenv(variable);
        check(count == nullptr || std::atoi(count) <= 1,
              "{} processes were started, but this program was built for one: make MPI=1", count);
    }
}
void end_processes() {}
void abort_processes(int) {}

int process_rank() {
    return 0;
}
int process_count() {
    return 1;
}
int processes_here() {
    return 1;
}
std::string process_name(int) {
    return "this process";
}

Transfer::Transfer(int) {}
Transfer::~Transfer() = default;
void Transfer::send(int to, std::span<const std::byte>) {
    fail("processes: there is no process {}", to);
}
void Transfer::receive(int from, std::span<std::byte>) {
    fail("processes: there is no process {}", from);
}
bool Transfer::done() {
    return true;
}
void Transfer::wait() {}

void stop_waiting_when(bool (*)()) {}

double seconds_waited() {
    return 0;
}

}  // namespace smoe
