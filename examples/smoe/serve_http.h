// The server as others see it: what goes in and comes out. It answers
//     GET  /                  a page to write on
//     GET  /v1/models         what is served; /v1/models/NAME: one of them
//     GET  /v1/runs           the runs that are watched; /v1/runs/NAME: what is told of one, unless
//                             it is what If-None-Match names
//     POST /v1/completions    texts, whole or as a stream
// and no name from a client leads to a file. All of cpp-httplib is behind this interface, since it
// takes long to compile.
// Read next: serve_exchange.h, serve_training.h; serve.cpp, which starts it.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "examples/smoe/serve.h"
#include "examples/smoe/serve_door.h"
#include "examples/smoe/serve_training.h"
#include "models/generation/scheduler.h"

namespace smoe {

class HttpServer {
  public:
    // Listens, but answers nothing before start(). Throws Error if it cannot. Everything given must
    // outlive this.
    HttpServer(const ServerSettings& settings, const std::vector<ServedModel>& models,
               std::deque<ServedRun>& runs, Scheduler& scheduler);
    ~HttpServer();

    void start();
    std::string address() const;  // "http://127.0.0.1:8080/"
    int64_t answering() const;    // requests that have no whole answer yet
    void stop();                  // closes all connections

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace smoe
