// A server of the program for tests, and a client that sends whatever bytes it is given over a
// socket, as slowly as the test likes. It knows of HTTP what is needed to cut answers apart.
// Read next: serve_test.cpp.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/examples/workshop.h"

namespace smoe {

// smoe serve with these words, at a port of its own. The destructor ends it.
class Served {
  public:
    explicit Served(const std::string& words);
    ~Served();
    int port() const { return port_; }
    void send_signal(int signal) const;
    Outcome wait();  // for its end

  private:
    pid_t program_;
    int port_ = 0;
    bool ended_ = false;
};

struct Answer {
    int status = 0;                              // 0: the connection ended without a whole answer
    std::map<std::string, std::string> headers;  // by names in small letters
    std::string body;
    nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
    // The data of server-sent events.
    std::vector<std::string> events() const;
};

class Client {
  public:
    explicit Client(int port);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    bool send(const std::string& bytes);                 // false if the server has closed its end
    Answer receive(bool is_head = false);                // the next answer, whole
    std::string receive_until(const std::string& part);  // what has come when it is there
    bool is_closed();  // within a few seconds, with nothing more to read
    // A request with the Host of this server, and what comes back.
    Answer get(const std::string& path, const std::string& headers = "");
    Answer post(const std::string& body, const std::string& headers = "");
    std::string posted(const std::string& body, const std::string& headers = "") const;

  private:
    bool read_more();

    int socket_, port_;
    std::string buffer_;
};

// What a client with this body gets, on a connection of its own.
Answer asked(const Served& server, const nlohmann::json& body);

// Fails unless the answer is an error with this status and, in its message, this part.
void check_refused(const Answer& answer, int status, const std::string& part);

double seconds_since(std::chrono::steady_clock::time_point start);

}  // namespace smoe
