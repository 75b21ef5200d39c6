// recv() with a budget. A read waits no longer than the time that is left.
// Read next: tests/examples/serve_test.cpp.
#include "examples/smoe/serve_connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <set>

namespace smoe {
namespace {

using Clock = std::chrono::steady_clock;

struct Connection {
    bool served = false;  // does this thread serve one?
    int socket = -1;      // once something was read
    int64_t bytes = 0;    // that may still be read
    int64_t seconds = 0;  // from the first byte on
    bool begun = false;
    bool over = false;  // nothing is read any more
    Clock::time_point end = {};
};
thread_local Connection connection;

// The sockets of all connections from which something was read.
std::mutex sockets_mutex;
std::set<int> sockets;

int milliseconds_left() {
    using std::chrono::milliseconds;
    const auto left = std::chrono::duration_cast<milliseconds>(connection.end - Clock::now());
    return int(std::max<int64_t>(0, left.count()));
}

ssize_t read_with_budget(int socket, void* buffer, size_t size, int flags) {
    if (connection.socket < 0) {
        connection.socket = socket;
        const std::lock_guard lock(sockets_mutex);
        sockets.insert(socket);
    }
    if (!connection.begun) {
        connection.begun = true;
        connection.end = Clock::now() + std::chrono::seconds(connection.seconds);
    }
    pollfd ready{.fd = socket, .events = POLLIN, .revents = 0};
    const int left = milliseconds_left();
    const bool spent = connection.over || connection.bytes <= 0 || left == 0;
    if (spent || ::poll(&ready, 1, left) <= 0) {
        return 0;  // as if the client had closed its end
    }
    const size_t most = std::min(size, size_t(connection.bytes));
    const ssize_t count = ::recvfrom(socket, buffer, most, flags, nullptr, nullptr);
    connection.bytes -= std::max<ssize_t>(0, count);
    return count;
}

}  // namespace

void begin_connection() {
    connection = {.served = true};
}

void end_connection() {
    const std::lock_guard lock(sockets_mutex);
    sockets.erase(connection.socket);
    connection = {};
}

void end_all_connections() {
    const std::lock_guard lock(sockets_mutex);
    for (const int socket : sockets) {
        ::shutdown(socket, SHUT_RD);
    }
}

void allow_reading(int64_t bytes, int64_t seconds) {
    connection.bytes = bytes;
    connection.seconds = seconds;
    connection.begun = false;
}

void read_no_more() {
    connection.over = true;
}

bool client_is_there() {
    if (connection.socket < 0) {
        return true;
    }
    char byte;
    const ssize_t count =
        ::recvfrom(connection.socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT, nullptr, nullptr);
    return count > 0 || (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

}  // namespace smoe

extern "C" ssize_t recv(int socket, void* buffer, size_t size, int flags) {
    const bool peeks = (flags & MSG_PEEK) != 0;
    return smoe::connection.served && !peeks
               ? smoe::read_with_budget(socket, buffer, size, flags)
               : ::recvfrom(socket, buffer, size, flags, nullptr, nullptr);
}
