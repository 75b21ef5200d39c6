// HttpServer where the program is built without cpp-httplib (make HTTP=none): there is none.
// Read next: serve_http.cpp.
#include "core/check.h"
#include "examples/smoe/serve_http.h"

#ifdef SMOE_NO_HTTP

namespace smoe {

struct HttpServer::Parts {};

HttpServer::HttpServer(const ServerSettings&, const std::vector<ServedModel>&,
                       std::deque<ServedRun>&, Scheduler&) {
    fail("this program was built without cpp-httplib, so it cannot serve");
}
HttpServer::~HttpServer() = default;
void HttpServer::start() {}
std::string HttpServer::address() const {
    return "";
}
int64_t HttpServer::answering() const {
    return 0;
}
void HttpServer::stop() {}

}  // namespace smoe

#endif
