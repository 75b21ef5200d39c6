// Processes as MPI has them (MPI Forum, "MPI: A Message-Passing Interface Standard", 3.1): the only
// file that knows of it. It is compiled with MPI=1, in place of processes_single.cpp. All messages go
// from one process to one other, so that whoever waits knows for whom.
// Read next: processes.cpp, which makes everything else of them.
#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <thread>

#include "core/processes.h"

namespace smoe {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t largest_message = size_t(1) << 30;  // bytes; MPI counts them in an int

struct World {
    int rank = 0, count = 1, here = 1;
    bool joined = false;
    std::vector<std::string> places;  // "pid 4711 on host", by rank
    double waited = 0;                // seconds
};
World world;
bool (*asked_to_stop)() = [] { return false; };

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

void start_processes() {
    // Starting MPI takes a while and a helper process, so a program that is alone does without.
    const char* const launchers[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMI_RANK", "PMIX_RANK"};
    if (std::none_of(std::begin(launchers), std::end(launchers),
                     [](const char* name) { return std::getenv(name) != nullptr; })) {
        return;
    }
    int provided = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
    world.joined = true;
    MPI_Comm_rank(MPI_COMM_WORLD, &world.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &world.count);
    MPI_Comm machine = MPI_COMM_NULL;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    MPI_Comm_size(machine, &world.here);
    MPI_Comm_free(&machine);
    char host[MPI_MAX_PROCESSOR_NAME] = {};
    int length = 0;
    MPI_Get_processor_name(host, &length);
    world.places = all_gather(fmt::format("pid {} on {}", ::getpid(), host));
}

void end_processes() {
    if (!world.joined) {
        return;
    }
    if (failing_together()) {
        // Messages may be under way whose memory is gone, and MPI's own farewell may fail as this
        // program did, on a full disk for example. The first process is given time to say why.
        std::this_thread::sleep_for(std::chrono::seconds(world.rank == 0 ? 0 : 1));
        abort_processes(1);
    }
    MPI_Finalize();
    world = {};
}

void abort_processes(int status) {
    if (world.count > 1) {
        MPI_Abort(MPI_COMM_WORLD, status);
    }
}

int process_rank() {
    return world.rank;
}
int process_count() {
    return world.count;
}
int processes_here() {
    return world.here;
}
std::string process_name(int rank) {
    return world.places.empty()
               ? fmt::format("process {}", rank)
               : fmt::format("process {} ({})", rank, world.places.at(size_t(rank)));
}

struct Transfer::Requests {
    int channel;
    std::vector<MPI_Request> requests{};
    std::vector<int> peers{};  // of each request

    template <class Start>
    void start(int peer, size_t bytes, const Start& start) {
        for (size_t begin = 0; begin < bytes; begin += largest_message) {
            requests.emplace_back();
            peers.push_back(peer);
            start(begin, int(std::min(largest_message, bytes - begin)), &requests.back());
        }
    }
    // Whom it waits for. Testall leaves finished requests as they are until all are.
    std::set<int> waited_for() {
        for (MPI_Request& request : requests) {
            int flag = 0;
            MPI_Test(&request, &flag, MPI_STATUS_IGNORE);
        }
        std::set<int> pending;
        for (size_t i = 0; i < requests.size(); ++i) {
            if (requests[i] != MPI_REQUEST_NULL) {
                pending.insert(peers[i]);
            }
        }
        return pending;
    }
    // Says so on standard error, "{}" being their names. Of all who wait only the lowest does.
    void complain(const std::string& text) {
        const std::set<int> pending = waited_for();
        int first = 0;
        while (pending.contains(first)) {
            ++first;
        }
        if (pending.empty() || world.rank != first) {
            return;
        }
        std::string names;
        for (const int peer : pending) {
            names += (names.empty() ? "" : ", ") + process_name(peer);
        }
        const std::string line = fmt::format(fmt::runtime(text), names);
        std::fprintf(stderr, "smoe: %s\n", line.c_str());
    }
};

Transfer::Transfer(int channel) : requests_(std::make_unique<Requests>(Requests{channel})) {}
Transfer::~Transfer() = default;

void Transfer::send(int to, std::span<const std::byte> bytes) {
    requests_->start(to, bytes.size(), [&](size_t begin, int count, MPI_Request* request) {
        MPI_Isend(bytes.data() + begin, count, MPI_BYTE, to, requests_->channel, MPI_COMM_WORLD,
                  request);
    });
}

void Transfer::receive(int from, std::span<std::byte> bytes) {
    requests_->start(from, bytes.size(), [&](size_t begin, int count, MPI_Request* request) {
        MPI_Irecv(bytes.data() + begin, count, MPI_BYTE, from, requests_->channel, MPI_COMM_WORLD,
                  request);
    });
}

bool Transfer::done() {
    if (requests_->requests.empty()) {
        return true;  // perhaps MPI was never started
    }
    int flag = 0;
    MPI_Testall(int(requests_->requests.size()), requests_->requests.data(), &flag,
                MPI_STATUSES_IGNORE);
    return flag != 0;
}

void Transfer::wait() {
    const Clock::time_point start = Clock::now();
    constexpr double patience = 10, last_patience = 5;  // seconds
    constexpr std::chrono::microseconds pause(50);      // between looks, after
    constexpr std::chrono::microseconds eager(200);     // of looking without a pause
    double said = 0, asked_at = -1;                     // after so many seconds
    while (!done()) {
        const double seconds = seconds_since(start);
        if (asked_at < 0 && asked_to_stop()) {
            asked_at = seconds;
        }
        if (asked_at >= 0 && seconds > asked_at + last_patience) {
            requests_->complain("error: {} does not answer any more, so the run ends");
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
            abort_processes(1);
        }
        if (seconds > said + patience) {
            said = seconds;
            requests_->complain("waiting for {} since " + fmt::format("{:.0f} seconds", seconds));
        }
        if (Clock::now() - start > eager) {
            std::this_thread::sleep_for(pause);
        }
    }
    world.waited += seconds_since(start);
}

void stop_waiting_when(bool (*asked)()) {
    asked_to_stop = asked;
}

double seconds_waited() {
    return world.waited;
}

}  // namespace smoe
