// Who may ask a server for what, by the first lines of a request and before anything else is read. A
// page from elsewhere can make a browser send requests to this machine. It shows by Origin, by
// Sec-Fetch-Site and, where it had a name of its own lead to this machine (DNS rebinding), by Host.
// Read next: serve_http.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace smoe {

struct ServerSettings {
    std::string host = "127.0.0.1";
    int port = 8080;  // 0: any that is free
    std::string key;  // that requests must bring; "": none
    int64_t connections = 64;
};

// Only programs on this machine can reach such an address.
bool is_local(const std::string& host);

// "127.0.0.1:8080", "[::1]:8080"
std::string host_and_port(const ServerSettings& settings);

struct Caller {
    std::string method, path;
    int64_t hosts = 0;  // headers of this name
    std::string host;
    std::optional<std::string> origin;
    std::string fetch_site, authorization;
};

// Throws ApiError unless the caller may ask for that, and it is there.
void check_caller(const Caller& caller, const ServerSettings& settings);

// How many bytes the body of a request has by its headers Content-Length and Transfer-Encoding, or
// nothing if it comes in chunks. Throws ApiError unless they say it once: this server and a proxy
// in front of it might else disagree about where the next request begins.
std::optional<int64_t> length_of_body(const std::vector<std::string>& lengths,
                                      const std::vector<std::string>& encodings);

}  // namespace smoe
