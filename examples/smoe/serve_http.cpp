// HttpServer: the only file that includes cpp-httplib. Every request passes check_caller() before
// anything is read of its body. Each connection has a thread of its own while it lasts.
// Read next: serve_door.h, who may ask; serve_connection.h, the limits; tests/examples/serve_test.cpp.
#include "examples/smoe/serve_http.h"

#ifndef SMOE_NO_HTTP

#include <httplib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <atomic>
#include <ctime>
#include <thread>

#include "core/text.h"
#include "examples/smoe/serve_connection.h"
#include "examples/smoe/serve_exchange.h"
#include "examples/smoe/serve_page.h"

namespace smoe {
namespace {

using namespace std::chrono_literals;

constexpr int64_t kibi = 1024;
constexpr int64_t header_bytes = 32 * kibi, header_seconds = 10;
constexpr int64_t body_seconds = 30;
// A longer body is refused. What comes of it is read nevertheless, up to the second limit: a client
// that is still sending would not see the answer.
constexpr size_t longest_body = 1024 * kibi;
constexpr int64_t longest_refused_body = 16 * longest_body;
constexpr auto patience = 100ms;  // between two looks whether the client is still there
// A client's thread pauses between two looks at what has been written, longer the more clients there
// are. To people it is one stream; but threads that woke for every token would take the processors
// from the one that writes.
constexpr std::chrono::milliseconds pause_for_each = 2ms, least_pause = 40ms, most_pause = 250ms;

// Of this thread's request. Has it passed the door? One that was not even understood has not. Is its
// answer the last one of the connection?
thread_local bool understood = false, is_last = false;

// Its threads know that they serve a connection.
class Connections : public httplib::ThreadPool {
  public:
    using httplib::ThreadPool::ThreadPool;
    using Accepted = decltype(std::declval<httplib::TaskQueue&>().enqueue({}));

    Accepted enqueue(std::function<void()> serve) override {
        return ThreadPool::enqueue([serve = std::move(serve)] {
            begin_connection();
            allow_head(header_bytes, header_seconds);
            serve();
            end_connection();
        });
    }
};

void answer(httplib::Response& response, int status, const std::string& json) {
    response.status = status;
    response.set_content(json, "application/json");
}

void answer(httplib::Response& response, const ApiError& error) {
    if (error.status == 401) {
        response.set_header("WWW-Authenticate", "Bearer");
    }
    if (error.status == 429) {
        response.set_header("Retry-After", "1");
    }
    answer(response, error.status, error.json());
}

Caller caller_of(const httplib::Request& request) {
    Caller caller{.method = request.method,
                  .path = request.path,
                  .hosts = int64_t(request.get_header_value_count("Host")),
                  .host = request.get_header_value("Host"),
                  .origin = {},
                  .fetch_site = request.get_header_value("Sec-Fetch-Site"),
                  .authorization = request.get_header_value("Authorization")};
    if (request.has_header("Origin")) {
        caller.origin = request.get_header_value("Origin");
    }
    return caller;
}

// The answer to this request says that it is the connection's last one: what follows, perhaps the
// rest of a body, is not taken for a request.
void make_last(const httplib::Request& request) {
    is_last = true;
    httplib::Headers& headers = const_cast<httplib::Request&>(request).headers;
    headers.erase("Connection");
    headers.emplace("Connection", "close");  // which makes the library say so
}

bool has_body(const httplib::Request& request) {
    return request.has_header("Transfer-Encoding") || request.has_header("Content-Length");
}

// Lets the body be read, and no byte behind it.
void allow_body_of(const httplib::Request& request) {
    const auto values = [&request](const char* name) {
        std::vector<std::string> all;
        for (size_t i = 0; i < request.get_header_value_count(name); ++i) {
            all.push_back(request.get_header_value(name, i));
        }
        return all;
    };
    const std::optional<int64_t> length =
        length_of_body(values("Content-Length"), values("Transfer-Encoding"));
    const int64_t bytes = std::min(longest_refused_body, length.value_or(longest_refused_body));
    allow_body(bytes, body_seconds);
    // The library reads beyond the last chunk, and does not read the body of a GET.
    if (!length.has_value() || (bytes > 0 && request.method != "POST")) {
        make_last(request);
    }
}

// Counts the requests that have no whole answer yet.
struct Counted {
    explicit Counted(std::atomic<int64_t>& counter) : answering(counter) { ++answering; }
    ~Counted() { --answering; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    std::atomic<int64_t>& answering;
};

struct Visit : Counted, Exchange {
    Visit(std::atomic<int64_t>& counter, const std::string& body,
          const std::vector<ServedModel>& models, Scheduler& scheduler)
        : Counted(counter), Exchange(body, models, scheduler) {}
    std::chrono::steady_clock::time_point next_look = {};
};

}  // namespace

struct HttpServer::Parts {
    Parts(const ServerSettings& given, const std::vector<ServedModel>& served,
          std::deque<ServedRun>& watched, Scheduler& work)
        : settings(given), models(served), runs(watched), scheduler(work) {}

    void set_up();
    void tell_of_run(const httplib::Request& request, httplib::Response& response);
    void complete(const httplib::Request& request, httplib::Response& response,
                  const httplib::ContentReader& read);
    static bool wait_for_client(Visit& visit);
    static bool send_events(Visit& visit, httplib::DataSink& sink);

    ServerSettings settings;
    const std::vector<ServedModel>& models;
    std::deque<ServedRun>& runs;
    Scheduler& scheduler;
    int64_t created = std::time(nullptr);
    std::atomic<int64_t> answering = 0;
    httplib::Server server;
    int listening = -1;  // its socket
    std::thread listener;
};

void HttpServer::Parts::set_up() {
    server.new_task_queue = [this] { return new Connections(size_t(settings.connections)); };
    server.set_tcp_nodelay(true);
    server.set_keep_alive_max_count(10000);
    server.set_read_timeout(header_seconds);
    server.set_payload_max_length(size_t(longest_refused_body));
    server.set_socket_options([this](int socket) {
        listening = socket;
        const int on = 1;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        const timeval longest{.tv_sec = 10, .tv_usec = 0};  // for a client that does not read
        ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
    });
    server.set_default_headers({{"Cache-Control", "no-store"},
                                {"X-Content-Type-Options", "nosniff"},
                                {"Referrer-Policy", "no-referrer"}});
    server.set_pre_routing_handler(
        [this](const httplib::Request& request, httplib::Response& response) {
            understood = true;
            // Answers are given whole; the library would cut them as Range asks.
            const_cast<httplib::Request&>(request).ranges.clear();
            try {
                check_caller(caller_of(request), settings);
                allow_body_of(request);
                return httplib::Server::HandlerResponse::Unhandled;
            } catch (const ApiError& error) {
                answer(response, error);
            }
            if (has_body(request)) {
                make_last(request);
            }
            return httplib::Server::HandlerResponse::Handled;
        });
    // Called when an answer has been sent: the next bytes are another request.
    server.set_logger([](const httplib::Request&, const httplib::Response&) {
        if (std::exchange(is_last, false)) {
            read_no_more();
        }
        understood = false;
        allow_head(header_bytes, header_seconds);
    });
    server.set_error_handler([](const httplib::Request& request, httplib::Response& response) {
        if (!understood) {
            make_last(request);
        }
        if (response.body.empty()) {
            const ApiError error(response.status, "this is no request that can be answered");
            response.set_content(error.json(), "application/json");
        }
    });
    server.Get("/", [page = serve_page()](const httplib::Request&, httplib::Response& response) {
        response.set_header("Content-Security-Policy", "frame-ancestors 'none'");
        response.set_content(page, "text/html");
    });
    server.Get("/v1/models", [this](const httplib::Request&, httplib::Response& response) {
        answer(response, 200, dumped(models_json(models, created)));
    });
    server.Get(
        "/v1/models/.*", [this](const httplib::Request& request, httplib::Response& response) {
            const std::string name = request.path.substr(std::string("/v1/models/").size());
            const auto at = std::ranges::find(models, name, &ServedModel::name);
            if (at == models.end()) {
                answer(response, ApiError(404, "there is no model '" + to_one_line(name) + "' here",
                                          "model_not_found", "model"));
            } else {
                answer(response, 200, dumped(model_json(*at, created)));
            }
        });
    server.Get("/v1/runs", [this](const httplib::Request&, httplib::Response& response) {
        answer(response, 200, dumped(runs_json(runs)));
    });
    server.Get("/v1/runs/.*", [this](const httplib::Request& request, httplib::Response& response) {
        tell_of_run(request, response);
    });
    server.Post("/v1/completions",
                [this](const httplib::Request& request, httplib::Response& response,
                       const httplib::ContentReader& read) {
                    try {
                        complete(request, response, read);
                    } catch (const ApiError& error) {
                        answer(response, error);
                    } catch (const std::exception& error) {
                        answer(response, ApiError(500, error.what()));
                    }
                });
}

void HttpServer::Parts::tell_of_run(const httplib::Request& request, httplib::Response& response) {
    const std::string name = request.path.substr(std::string("/v1/runs/").size());
    const auto at = std::ranges::find(runs, name, &ServedRun::name);
    if (at == runs.end()) {
        answer(response, ApiError(404, "there is no run '" + to_one_line(name) + "' here"));
        return;
    }
    try {
        const std::shared_ptr<const ServedRun::Told> told = at->told();
        const std::string tag = '"' + told->tag + '"';
        response.set_header("ETag", tag);
        if (request.get_header_value("If-None-Match") == tag) {
            response.status = 304;
        } else {
            answer(response, 200, told->json);
        }
    } catch (const std::exception&) {  // what it says is where the run lies
        answer(response, ApiError(500, "the run '" + name + "' cannot be read now"));
    }
}

void HttpServer::Parts::complete(const httplib::Request& request, httplib::Response& response,
                                 const httplib::ContentReader& read) {
    if (request.is_multipart_form_data()) {
        make_last(request);
        throw ApiError(400, "the body must be one JSON object, not a form");
    }
    std::string body;
    bool fits = true;
    // Counted here, since a compressed body may become much longer.
    const bool whole = !has_body(request) || read([&](const char* data, size_t size) {
        fits = fits && body.size() + size <= longest_body;
        body.append(data, fits ? size : 0);
        return true;
    });
    if (!whole) {
        make_last(request);
    }
    if (!fits || response.status == 413) {
        throw ApiError(413, fmt::format("the body has more than {} bytes", longest_body));
    }
    if (!whole) {
        throw ApiError(400, "the body broke off");
    }
    const auto visit = std::make_shared<Visit>(answering, body, models, scheduler);
    // Until something has been written, an error can still have a status of its own.
    if (!wait_for_client(*visit)) {
        return;
    }
    if (visit->request.stream) {
        response.set_chunked_content_provider(
            "text/event-stream",
            [visit](size_t, httplib::DataSink& sink) { return send_events(*visit, sink); });
        return;
    }
    visit->reply.add(visit->pieces);
    while (visit->more) {
        if (!wait_for_client(*visit)) {
            return;
        }
        visit->reply.add(visit->pieces);
    }
    answer(response, 200, visit->reply.finish());
}

// Waits for the next pieces. Returns false if the client has gone.
bool HttpServer::Parts::wait_for_client(Visit& visit) {
    visit.job->sleep_until(visit.next_look);
    do {
        visit.take(patience);
        if (visit.more && !client_is_there()) {
            visit.job->cancel();
            read_no_more();
            return false;
        }
    } while (visit.more && visit.pieces.empty());
    const std::chrono::milliseconds pause = pause_for_each * visit.answering.load();
    visit.next_look = std::chrono::steady_clock::now() + std::clamp(pause, least_pause, most_pause);
    return true;
}

// Sends the events of the pieces that are there, and takes the next ones.
bool HttpServer::Parts::send_events(Visit& visit, httplib::DataSink& sink) {
    std::string events = visit.reply.add(visit.pieces);
    const bool ended = !visit.more;
    if (ended) {
        events += visit.reply.finish();
    }
    if (!events.empty() && !sink.write(events.data(), events.size())) {
        return false;
    }
    if (ended) {
        sink.done();
        return true;
    }
    try {
        return wait_for_client(visit);
    } catch (const Error& error) {  // the status has been sent
        events = event_of(ApiError(500, error.what()).json());
        sink.write(events.data(), events.size());
        sink.done();
        return true;
    }
}

HttpServer::HttpServer(const ServerSettings& settings, const std::vector<ServedModel>& models,
                       std::deque<ServedRun>& runs, Scheduler& scheduler)
    : parts_(std::make_unique<Parts>(settings, models, runs, scheduler)) {
    parts_->set_up();
    httplib::Server& server = parts_->server;
    int& port = parts_->settings.port;
    const bool bound = port == 0 ? (port = server.bind_to_any_port(settings.host)) > 0
                                 : server.bind_to_port(settings.host, port);
    check(bound,
          "cannot listen at {}, port {}: it is not an address of this machine, or another "
          "program listens there",
          settings.host, settings.port);
    // The library lets five connections wait to be accepted; when more come at once, the system drops
    // them, and their clients try again after seconds.
    ::listen(parts_->listening, SOMAXCONN);
}

HttpServer::~HttpServer() {
    stop();
}

void HttpServer::start() {
    parts_->listener = std::thread([this] { parts_->server.listen_after_bind(); });
    while (!parts_->server.is_running()) {
        std::this_thread::sleep_for(1ms);
    }
}

std::string HttpServer::address() const {
    return "http://" + host_and_port(parts_->settings) + "/";
}

int64_t HttpServer::answering() const {
    return parts_->answering;
}

void HttpServer::stop() {
    if (parts_->listener.joinable()) {
        parts_->server.stop();
        end_all_connections();
        parts_->listener.join();
    }
}

}  // namespace smoe

#endif
