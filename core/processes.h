// The processes that train one run together, on one machine or on many, as mpirun starts them: who
// they are, messages between them, and how they fail together. Sums are left to the callers, who
// know in which order they must be taken: MPI's own may differ with the number of processes. A
// build without MPI has one process, and no message is ever sent.
// Read next: threads.h, which makes the same promise for threads; models/training/learner.h, the user.
#pragma once

#include <fmt/core.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "core/check.h"
#include "core/threads.h"

namespace smoe {

// Joins the others if a launcher such as mpirun started this program; to be called once, before any
// other of these functions. Throws Error if there are others and this is a build without MPI.
void start_processes();
// To be called by all processes before they exit.
void end_processes();
// Ends all processes at once, for a failure that only this one knows of. Returns if it is alone.
void abort_processes(int status);

int process_rank();                  // of this one, counted from 0
int process_count();                 // 1 unless a launcher started more
int processes_here();                // of them, those on this machine
std::string process_name(int rank);  // for people: "process 2 (pid 4711 on host)"

// Messages on their way. Between two processes, those of a channel arrive in the order in which they
// were sent. The bytes must stay in place until it is done.
class Transfer {
  public:
    explicit Transfer(int channel = 0);
    ~Transfer();
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    void send(int to, std::span<const std::byte> bytes);
    void receive(int from, std::span<std::byte> bytes);

    bool done();  // looks, and lets messages move on
    // Returns when all have arrived. After ten seconds without one, it says on standard error whom
    // it waits for.
    void wait();

  private:
    struct Requests;
    std::unique_ptr<Requests> requests_;
};

// Once asked() is true, nobody waits for longer than five seconds more: whoever is still waited for is
// taken for dead, and this process ends all with one line that names it. Launchers ask the others to
// end when one has died.
void stop_waiting_when(bool (*asked)());

// Seconds that this process has spent in Transfer::wait.
double seconds_waited();

// The bytes borders[r] to borders[r + 1] are those of process r; afterwards every process has all of
// them. borders (process_count() + 1) are the same everywhere.
void all_gather(std::span<std::byte> bytes, std::span<const size_t> borders);
// What every process gives, by rank; lengths may differ.
std::vector<std::string> all_gather(const std::string& own);
// The same for values that are copied as they lie in memory: all of them, in the order of the ranks.
template <class T>
requires std::is_trivially_copyable_v<T> std::vector<T> all_gather(const std::vector<T>& own) {
    std::vector<T> all;
    for (const std::string& bytes : all_gather(
             std::string(reinterpret_cast<const char*>(own.data()), own.size() * sizeof(T)))) {
        const size_t before = all.size();
        all.resize(before + bytes.size() / sizeof(T));
        bytes.copy(reinterpret_cast<char*>(all.data() + before), bytes.size());
    }
    return all;
}
// What process 0 gives.
std::string from_first(const std::string& text);

// Runs body() in every process. If it throws in any of them, every process throws Error: what the
// lowest of those said, with its name unless all said the same.
void together(Borrowed<> body);

// body() in process 0 alone, which has the disk to itself. If it fails there, every process throws.
void first_alone(Borrowed<> body);

// True once together() or fail_together() has thrown, so that every process is on its way out.
bool failing_together();

namespace detail {
void set_failing_together();
}

// An error that every process is about to throw, since all have seen the same numbers.
template <class... Args>
[[noreturn]] void fail_together(fmt::format_string<Args...> message, Args&&... args) {
    detail::set_failing_together();
    fail(message, std::forward<Args>(args)...);
}

}  // namespace smoe
