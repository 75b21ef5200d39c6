// Sockets by hand: a library would send nothing that is broken.
// Read next: serve_test.cpp.
#include "tests/examples/http_client.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "core/file.h"

namespace smoe {

Served::Served(const std::string& words) {
    std::vector<std::string> all = split("serve " + words + " --port 0", ' ');
    // Beside the workshop, as the other streams, so that no inventory sees it.
    const std::string out = workshop() + "-served";
    write_file(out, "");
    program_ = start_program(all, {.output_file = out});
    const std::string before = "listening at http://127.0.0.1:";
    for (int i = 0; i < 8000 && port_ == 0; ++i) {  // a machine may be very busy
        const std::string said = read_file(out);
        const size_t at = said.find(before);
        if (at != said.npos && said.find('\n', at) != said.npos) {
            port_ = std::atoi(said.c_str() + at + before.size());
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    std::filesystem::remove(out);
    REQUIRE(port_ > 0);
}

Served::~Served() {
    if (!ended_) {
        ::kill(program_, SIGKILL);
        wait_for_program(program_);
    }
}

void Served::send_signal(int signal) const {
    ::kill(program_, signal);
}

Outcome Served::wait() {
    ended_ = true;
    return wait_for_program(program_);
}

std::vector<std::string> Answer::events() const {
    std::vector<std::string> events;
    const std::string start = "data: ", end = "\n\n";
    for (size_t at = 0; at < body.size();) {
        const size_t stop = body.find(end, at);
        REQUIRE(body.compare(at, start.size(), start) == 0);
        REQUIRE(stop != body.npos);
        events.push_back(body.substr(at + start.size(), stop - at - start.size()));
        at = stop + end.size();
    }
    return events;
}

Client::Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)), port_(port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(uint16_t(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval longest{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

Client::~Client() {
    ::close(socket_);
}

bool Client::send(const std::string& bytes) {
    for (size_t sent = 0; sent < bytes.size();) {
        const ssize_t count =
            ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) {
            return false;
        }
        sent += size_t(count);
    }
    return true;
}

bool Client::read_more() {
    char bytes[65536];
    const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
    buffer_.append(bytes, size_t(std::max<ssize_t>(0, count)));
    return count > 0;
}

std::string Client::receive_until(const std::string& part) {
    while (buffer_.find(part) == buffer_.npos && read_more()) {
    }
    return buffer_;
}

Answer Client::receive(bool is_head) {
    Answer answer;
    const std::string blank = "\r\n\r\n";
    receive_until(blank);
    const size_t head_end = buffer_.find(blank);
    if (head_end == buffer_.npos) {
        return answer;
    }
    const std::string head = buffer_.substr(0, head_end);
    buffer_.erase(0, head_end + blank.size());
    for (const std::string& line : split(head, '\n')) {
        const size_t colon = line.find(": ");
        if (colon != line.npos) {
            std::string name = line.substr(0, colon), value = line.substr(colon + 2);
            std::ranges::transform(name, name.begin(),
                                   [](char c) { return char(std::tolower(c)); });
            answer.headers[name] = value.substr(0, value.find('\r'));
        }
    }
    bool whole = true;
    if (answer.headers["transfer-encoding"] == "chunked") {
        for (size_t length = 1; whole && length > 0;) {
            receive_until("\r\n");
            const size_t end = buffer_.find("\r\n");
            length = size_t(std::strtoul(buffer_.c_str(), nullptr, 16));
            while (end != buffer_.npos && buffer_.size() < end + length + 4 && whole) {
                whole = read_more();
            }
            whole = whole && end != buffer_.npos;
            if (whole) {
                answer.body += buffer_.substr(end + 2, length);
                buffer_.erase(0, end + length + 4);
            }
        }
    } else if (!is_head) {
        const size_t length = size_t(std::atol(answer.headers["content-length"].c_str()));
        while (buffer_.size() < length && whole) {
            whole = read_more();
        }
        answer.body = buffer_.substr(0, length);
        buffer_.erase(0, length);
    }
    answer.status = whole ? std::atoi(head.c_str() + std::string("HTTP/1.1 ").size()) : 0;
    return answer;
}

bool Client::is_closed() {
    return !read_more() && buffer_.empty();
}

Answer Client::get(const std::string& path, const std::string& headers) {
    send("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) + "\r\n" +
         headers + "\r\n");
    return receive();
}

std::string Client::posted(const std::string& body, const std::string& headers) const {
    return "POST /v1/completions HTTP/1.1\r\nHost: localhost:" + std::to_string(port_) +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
}

Answer Client::post(const std::string& body, const std::string& headers) {
    send(posted(body, headers));
    return receive();
}

Answer asked(const Served& server, const nlohmann::json& body) {
    Client client(server.port());
    return client.post(body.dump());
}

void check_refused(const Answer& answer, int status, const std::string& part) {
    INFO(answer.body);
    CHECK(answer.status == status);
    const nlohmann::json error = answer.json();
    REQUIRE(error.contains("error"));
    for (const char* const name : {"message", "type", "param", "code"}) {
        CHECK(error["error"].contains(name));
    }
    CHECK(has(error["error"]["message"], part));
}

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace smoe
