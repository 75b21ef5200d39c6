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
#include <string_view>

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
    bool in_head = false;
    size_t matched = 0;  // bytes of blank_line that stand at the end of what was read of a head
    Clock::time_point end = {};
};
thread_local Connection connection;

// The sockets of all connections from which something was read.
std::mutex sockets_mutex;
std::set<int> sockets;

constexpr std::string_view blank_line = "\n\r\n";  // behind the CR of the line before

// How many of these bytes belong to the head that is read.
size_t part_of_head(std::string_view bytes) {
    size_t& matched = connection.matched;
    size_t count = 0;
    while (count < bytes.size() && matched < blank_line.size()) {
        const char byte = bytes[count++];
        matched = byte == blank_line[matched] ? matched + 1 : byte == blank_line[0] ? 1 : 0;
    }
    return count;
}

void allow(bool head, int64_t bytes, int64_t seconds) {
    connection.in_head = head;
    connection.matched = 0;
    connection.bytes = bytes;
    connection.seconds = seconds;
    connection.begun = false;
}

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
    size_t most = std::min(size, size_t(connection.bytes));
    if (connection.in_head) {
        const ssize_t seen = ::recvfrom(socket, buffer, most, flags | MSG_PEEK, nullptr, nullptr);
        if (seen <= 0) {
            return seen;
        }
        most = part_of_head({static_cast<const char*>(buffer), size_t(seen)});
        if (connection.matched == blank_line.size()) {
            connection.bytes = int64_t(most);
        }
    }
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

void allow_head(int64_t bytes, int64_t seconds) {
    allow(true, bytes, seconds);
}

void allow_body(int64_t bytes, int64_t seconds) {
    allow(false, bytes, seconds);
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
