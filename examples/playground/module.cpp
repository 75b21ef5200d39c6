// The WebAssembly module of a playground: a model that answers the requests of smoe serve inside a
// browser. Requests, errors and events are those of the server, as text, so the page is the
// server's, too. There is one thread: its caller asks for one pass after the other, and is free in
// between.
// Read next: worker.js, the caller; examples/smoe/serve_http.cpp, which does this on a server.
#include <emscripten.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "examples/smoe/serve_exchange.h"

namespace smoe {
namespace {

using namespace std::chrono_literals;

class Playground {
  public:
    explicit Playground(const std::string& folder) {
        models_.push_back(load_served(folder, places, Precision::bfloat16));
        scheduler_ = std::make_unique<Scheduler>(workers(models_), longest_queue);
    }

    std::string models() const { return dumped(models_json(models_, 0)); }

    void ask(int id, const std::string& body) {
        exchanges_[id] = std::make_unique<Exchange>(body, models_, *scheduler_);
    }
    void work() { scheduler_->work(0ms); }
    // The events of a request since the last call. After the last of them the request is no more.
    std::string events(int id) {
        Exchange& exchange = *exchanges_.at(id);
        std::string text;
        try {
            exchange.take(0ms);
            text = exchange.reply.add(exchange.pieces);
            text += exchange.more ? "" : exchange.reply.finish();
        } catch (const Error& error) {
            text = event_of(ApiError(500, error.what()).json());
            exchange.more = false;
        }
        if (!exchange.more) {
            exchanges_.erase(id);
        }
        return text;
    }
    bool has(int id) const { return exchanges_.contains(id); }
    void cancel(int id) { exchanges_.erase(id); }

  private:
    static constexpr int64_t places = 8, longest_queue = 100;  // a page asks for six texts at once

    std::vector<ServedModel> models_;
    std::unique_ptr<Scheduler> scheduler_;
    std::map<int, std::unique_ptr<Exchange>> exchanges_;
};

std::unique_ptr<Playground> playground;
std::string said;  // what the last call gave its caller

// Calls body(), and makes JSON of what it throws.
template <class Body>
const char* told(const Body& body) {
    try {
        said = body();
    } catch (const ApiError& error) {
        said = error.json();
    } catch (const std::exception& error) {
        said = ApiError(500, error.what()).json();
    }
    return said.c_str();
}

}  // namespace
}  // namespace smoe

// What JavaScript calls. Texts that are returned are valid until the next call.
extern "C" {

// Loads the model in `folder`. Returns what GET /v1/models answers, or an error.
EMSCRIPTEN_KEEPALIVE const char* smoe_open(const char* folder) {
    return smoe::told([&] {
        smoe::playground = std::make_unique<smoe::Playground>(folder);
        return smoe::playground->models();
    });
}

// Takes a request, under a number that the caller chooses. Returns "", or an error.
EMSCRIPTEN_KEEPALIVE const char* smoe_ask(int id, const char* body) {
    return smoe::told([&] {
        smoe::playground->ask(id, body);
        return "";
    });
}

// Takes every text one token further.
EMSCRIPTEN_KEEPALIVE void smoe_work() {
    smoe::playground->work();
}

EMSCRIPTEN_KEEPALIVE const char* smoe_events(int id) {
    return smoe::told([&] { return smoe::playground->events(id); });
}

EMSCRIPTEN_KEEPALIVE bool smoe_has(int id) {
    return smoe::playground->has(id);
}

EMSCRIPTEN_KEEPALIVE void smoe_cancel(int id) {
    smoe::playground->cancel(id);
}

}  // extern "C"
