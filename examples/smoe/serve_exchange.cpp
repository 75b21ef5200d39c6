// Exchange: what a scheduler refuses gets the status that HTTP has for it.
// Read next: serve_request.cpp.
#include "examples/smoe/serve_exchange.h"

namespace smoe {
namespace {

std::shared_ptr<Job> submitted(const CompletionRequest& request, Scheduler& scheduler) {
    try {
        return scheduler.submit(request.model, request.requests, request.stops, request.echo);
    } catch (const Refused& refused) {
        const bool full = refused.why == Refused::Why::full;
        throw ApiError(full ? 429 : 503, refused.what(), full ? "queue_full" : "stopping");
    } catch (const Error& error) {
        throw ApiError(400, error.what());
    }
}

}  // namespace

Exchange::Exchange(const std::string& body, const std::vector<ServedModel>& models,
                   Scheduler& scheduler)
    : request(completion_request(body, models)),
      reply(request, models[request.model]),
      job(submitted(request, scheduler)) {}

}  // namespace smoe
