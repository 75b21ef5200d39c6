// smoe serve: trained models answer requests over HTTP, as OpenAI's interface for completions has
// them. The main thread writes all texts; other threads wait for requests and send answers.
// Read next: serve_http.h; models/generation/scheduler.h.
#include <algorithm>
#include <csignal>
#include <memory>
#include <thread>

#include "core/check.h"
#include "core/file.h"
#include "examples/smoe/commands.h"
#include "examples/smoe/interruption.h"
#include "examples/smoe/options.h"
#include "examples/smoe/printing.h"
#include "examples/smoe/serve_http.h"

namespace smoe {
namespace {

using Clock = std::chrono::steady_clock;

struct ServeOptions {
    std::vector<std::string> runs;
    std::string precision = name_of(Precision::bfloat16);
    ServerSettings server;
    int64_t places = 32, queue = 64, grace = 10;
};

void check_options(const ServeOptions& options) {
    const auto check_range = [](const char* name, int64_t value, int64_t least, int64_t most) {
        check(value >= least && value <= most, "{} must be from {} to {}, found {}", name, least,
              most, value);
    };
    check_range("--port", options.server.port, 0, 65535);
    check_range("--places", options.places, 1, Generator::max_samples);
    check_range("--queue", options.queue, 1, 1000);
    check_range("--grace", options.grace, 0, 3600);
    check(is_local(options.server.host) || !options.server.key.empty(),
          "--host '{}': other machines can reach this address, so it needs a --key",
          options.server.host);
}

// The runs, of which no two have a name.
std::deque<ServedRun> watched(const ServeOptions& options) {
    std::deque<ServedRun> runs;
    for (const std::string& path : options.runs) {
        RunDirectory(path).config();  // throws if there is none
        const ServedRun& run = runs.emplace_back(path);
        const auto same = std::ranges::find(runs, run.name(), &ServedRun::name);
        check(&*same == &run,
              "two runs are called '{}', by which requests would name both: rename one",
              run.name());
    }
    return runs;
}

// The models of those that have one. A run that has just begun can still be watched.
std::vector<ServedModel> load(const ServeOptions& options) {
    std::vector<ServedModel> models;
    for (const std::string& path : options.runs) {
        if (RunDirectory(path).has_model()) {
            models.push_back(
                load_served(path, options.places, enum_named<Precision>(options.precision)));
        } else {
            say("{}: no trained model yet, so only its training is shown", file_name(path));
        }
    }
    return models;
}

// Works until a signal comes, finishes what was asked before it, and then lets the answers out.
void work(Scheduler& scheduler, HttpServer& server, int64_t grace) {
    using namespace std::chrono_literals;
    while (!interrupted()) {
        scheduler.work(50ms);
    }
    scheduler.close();
    say("stopping: {} requests are answered first, for at most {} s", server.answering(), grace);
    std::fflush(stdout);
    const Clock::time_point end = Clock::now() + std::chrono::seconds(grace);
    while (!scheduler.idle() && Clock::now() < end) {
        scheduler.work(10ms);
    }
    scheduler.interrupt();
    const Clock::time_point sent = Clock::now() + 2s;
    while (server.answering() > 0 && Clock::now() < sent) {
        std::this_thread::sleep_for(5ms);
    }
}

int serve(const ServeOptions& options) {
    check_options(options);
    std::deque<ServedRun> runs = watched(options);
    std::vector<ServedModel> models = load(options);
    std::vector<Scheduler::Model> all = workers(models);
    for (size_t i = 0; i < all.size(); ++i) {
        follow_training(models[i], all[i]);
    }
    Scheduler scheduler(std::move(all), options.queue);
    ServerSettings settings = options.server;
    constexpr int64_t most_connections = 1000;  // each has a thread
    settings.connections =
        std::min(most_connections, options.places * int64_t(models.size()) + options.queue + 16);
    HttpServer server(settings, models, runs, scheduler);
    watch_for_interruption();
    std::signal(SIGPIPE, SIG_IGN);  // a client that has gone is no reason to stop
    server.start();
    for (const ServedModel& model : models) {
        say("{}: context {}, {} texts at a time", model.name, model.config.model.context,
            options.places);
    }
    say("listening at {}", server.address());
    std::fflush(stdout);
    work(scheduler, server, options.grace);
    server.stop();
    say("stopped");
    return 0;
}

}  // namespace

Command add_serve(Arguments arguments) {
    auto options = std::make_shared<ServeOptions>();
    arguments.paths("runs", options->runs, "run directories").required().called("DIR...");
    arguments.name("--host", options->server.host, "address to listen at")
        .default_shown(options->server.host);
    arguments.number("--port", options->server.port, "port to listen at; 0: any that is free");
    arguments.name("--key", options->server.key, "key that requests must bring").called("TEXT");
    arguments.number("--places", options->places, "texts that a model writes at a time");
    arguments.number("--queue", options->queue, "requests that may wait for places");
    arguments.number("--grace", options->grace,
                     "seconds for what is being written when the server is told to stop");
    arguments.choice("--precision", options->precision, names_of<Precision>(),
                     "how the models' weights are read; bfloat16 is up to twice as fast");
    return [options] { return serve(*options); };
}

}  // namespace smoe
