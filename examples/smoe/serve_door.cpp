// check_caller: where from, with which key, and for what. length_of_body: how much follows.
// Read next: tests/examples/serve_refusals_test.cpp.
#include "examples/smoe/serve_door.h"

#include <arpa/inet.h>

#include <algorithm>
#include <vector>

#include "core/text.h"
#include "examples/smoe/serve_request.h"

namespace smoe {
namespace {

// Takes the same time however much of the key is right.
bool same_key(const std::string& given, const std::string& key) {
    size_t differences = given.size() ^ key.size();
    for (size_t i = 0; i < given.size(); ++i) {
        differences |= size_t(uint8_t(given[i]) ^ uint8_t(key[i % key.size()]));
    }
    return differences == 0;
}

std::string lower(std::string text) {
    for (char& letter : text) {
        letter = letter >= 'A' && letter <= 'Z' ? char(letter - 'A' + 'a') : letter;
    }
    return text;
}

void check_origin(const Caller& caller, const ServerSettings& settings, bool is_api) {
    const std::string host = lower(caller.host), own = lower(host_and_port(settings));
    const std::string port = ":" + std::to_string(settings.port);
    const std::vector<std::string> names = {own, "localhost" + port, "127.0.0.1" + port,
                                            "[::1]" + port};
    // At an address that others can reach, the key tells who asks.
    const bool is_own = !is_local(settings.host) || std::ranges::find(names, host) != names.end();
    if (caller.hosts != 1 || !is_own) {
        throw ApiError(403,
                       "this server answers at " + own + ", not at '" + to_one_line(host) + "'");
    }
    if (caller.origin.has_value() && lower(*caller.origin) != "http://" + host) {
        throw ApiError(403, "pages of '" + to_one_line(*caller.origin) + "' may not ask here");
    }
    const std::string& from = caller.fetch_site;
    if (is_api && !from.empty() && from != "same-origin" && from != "none") {
        throw ApiError(403, "other pages may not ask here");
    }
}

}  // namespace

bool is_local(const std::string& host) {
    in_addr address = {};  // a name may begin with 127, too, and lead anywhere
    return host == "localhost" || host == "::1" ||
           (::inet_pton(AF_INET, host.c_str(), &address) == 1 && host.starts_with("127."));
}

std::string host_and_port(const ServerSettings& settings) {
    const bool has_colons = settings.host.find(':') != std::string::npos;
    return (has_colons ? "[" + settings.host + "]" : settings.host) + ":" +
           std::to_string(settings.port);
}

void check_caller(const Caller& caller, const ServerSettings& settings) {
    const bool is_api = caller.path.starts_with("/v1/");
    check_origin(caller, settings, is_api);
    const std::string bearer = "Bearer ", &given = caller.authorization;
    if (is_api && !settings.key.empty() &&
        !(given.starts_with(bearer) && same_key(given.substr(bearer.size()), settings.key))) {
        throw ApiError(401, "the header Authorization must be 'Bearer ' and the key of this server",
                       "invalid_api_key");
    }
    const bool is_page = caller.path == "/";
    const bool is_completion = caller.path == "/v1/completions";
    const auto is_below = [&](const std::string& list) {
        return caller.path == list || caller.path.starts_with(list + "/");
    };
    if (!is_page && !is_completion && !is_below("/v1/models") && !is_below("/v1/runs")) {
        throw ApiError(404, "there is nothing at '" + to_one_line(caller.path) + "'");
    }
    const bool reads = caller.method == "GET" || caller.method == "HEAD";
    if (is_completion ? caller.method != "POST" : !reads) {
        throw ApiError(
            405, to_one_line(caller.path) + " takes " + (is_completion ? "POST" : "GET") + " only");
    }
}

std::optional<int64_t> length_of_body(const std::vector<std::string>& lengths,
                                      const std::vector<std::string>& encodings) {
    if (lengths.empty() && encodings.size() == 1 && lower(encodings[0]) == "chunked") {
        return {};
    }
    if (lengths.empty() && encodings.empty()) {
        return 0;
    }
    constexpr size_t most_digits = 18;
    const bool is_clear = encodings.empty() && lengths.size() == 1 && !lengths[0].empty() &&
                          lengths[0].size() <= most_digits &&
                          lengths[0].find_first_not_of("0123456789") == std::string::npos;
    if (!is_clear) {
        throw ApiError(400, "Content-Length and Transfer-Encoding do not say how long the body is");
    }
    return std::stoll(lengths[0]);
}

}  // namespace smoe
