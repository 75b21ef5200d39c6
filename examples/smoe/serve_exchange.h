// A request on its way to a whole answer: what was asked for, the job that writes it, and the reply
// that grows. Whoever has one takes the pieces that come, and sends what the reply makes of them.
// Read next: serve_http.cpp, which has one for each request; examples/playground/module.cpp.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "examples/smoe/serve_reply.h"
#include "examples/smoe/serve_request.h"
#include "models/generation/scheduler.h"

namespace smoe {

struct Exchange {
    // Submits what `body` asks for. Throws ApiError if it cannot be had. Everything given must
    // outlive this.
    Exchange(const std::string& body, const std::vector<ServedModel>& models, Scheduler& scheduler);
    ~Exchange() { job->cancel(); }
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    // Waits up to `longest` for the next pieces. Throws Error if the work failed.
    void take(std::chrono::milliseconds longest) { more = job->take(pieces, longest); }

    CompletionRequest request;
    CompletionReply reply;
    std::shared_ptr<Job> job;
    std::vector<Job::Piece> pieces;  // that came last
    bool more = true;                // may come
};

}  // namespace smoe
