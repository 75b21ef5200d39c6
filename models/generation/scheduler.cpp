// Scheduler: jobs are served in the order in which they came, for each model. Every pass begins with
// those that left and those that join.
// Read next: tests/models/generation/scheduler_test.cpp.
#include "models/generation/scheduler.h"

#include <algorithm>
#include <utility>

namespace smoe {

WrittenToken::WrittenToken(const Generator::Token& token)
    : id(token.id),
      expert(token.expert),
      log_probability(token.log_probability),
      likeliest(token.likeliest.begin(), token.likeliest.end()),
      router(token.router.begin(), token.router.end()) {}

Generator::Token WrittenToken::view() const {
    return {.sample = 0,
            .id = id,
            .expert = expert,
            .log_probability = log_probability,
            .likeliest = likeliest,
            .router = router};
}

bool Job::take(std::vector<Piece>& pieces, std::chrono::milliseconds longest) {
    std::unique_lock lock(mutex_);
    news_.wait_for(lock, longest,
                   [this] { return !pieces_.empty() || unfinished_ == 0 || !failure_.empty(); });
    check(failure_.empty(), "{}", failure_);
    pieces = std::exchange(pieces_, {});
    return unfinished_ > 0;
}

void Job::sleep_until(std::chrono::steady_clock::time_point then) {
    std::unique_lock lock(mutex_);
    over_.wait_until(lock, then, [this] { return unfinished_ == 0 || !failure_.empty(); });
}

void Job::give(Piece piece) {
    const std::lock_guard lock(mutex_);
    unfinished_ -= piece.end.has_value() ? 1 : 0;
    pieces_.push_back(std::move(piece));
    news_.notify_one();
    if (unfinished_ == 0) {
        over_.notify_one();
    }
}

void Job::fail(const std::string& message) {
    const std::lock_guard lock(mutex_);
    failure_ = message;
    cancelled_ = true;
    news_.notify_one();
    over_.notify_one();
}

Scheduler::Scheduler(std::vector<Model> models, int64_t longest_queue)
    : models_(std::move(models)), longest_queue_(longest_queue), desks_(models_.size()) {
    for (const Model& model : models_) {
        places_.push_back(model.generator->free_places());
    }
}

std::shared_ptr<Job> Scheduler::submit(size_t model, std::vector<TextRequest> requests,
                                       std::vector<std::string> stops, bool tell_prompt) {
    const auto job = std::make_shared<Job>();
    StopStrings{stops};  // which refuses what cannot be one
    for (const TextRequest& request : requests) {
        check_request(request, *models_[model].moe);
        check(request.samples <= places_[model],
              "{} samples of a prompt are asked for, and {} texts are written at a time",
              request.samples, places_[model]);
        job->unfinished_ += request.samples;
    }
    job->requests_ = std::move(requests);
    job->stops_ = std::move(stops);
    job->tell_prompt_ = tell_prompt;
    const std::lock_guard lock(mutex_);
    if (closed_) {
        throw Refused(Refused::Why::closed, "the server is about to stop and takes no more work");
    }
    std::deque<Waiting>& waiting = desks_[model].waiting;
    std::erase_if(waiting, [](const Waiting& one) { return one.job->cancelled_.load(); });
    // A job waits until the first of its requests has places.
    const int64_t jobs =
        std::ranges::count_if(waiting, [](const Waiting& one) { return one.request == 0; });
    if (jobs >= longest_queue_) {
        throw Refused(Refused::Why::full,
                      fmt::format("{} requests are waiting already, try again later", jobs));
    }
    int64_t text = 0;
    for (size_t i = 0; i < job->requests_.size(); ++i) {
        waiting.push_back({job, i, text});
        text += job->requests_[i].samples;
    }
    arrival_.notify_one();
    return job;
}

void Scheduler::work(std::chrono::milliseconds longest) {
    if (running_ == 0) {
        std::unique_lock lock(mutex_);
        arrival_.wait_for(lock, longest, [this] { return !nothing_waits(); });
    }
    running_ = 0;
    for (size_t model = 0; model < models_.size(); ++model) {
        drop_cancelled(model);
        if (is_current(model)) {
            start_waiting(model);
        }
        if (!desks_[model].running.empty()) {
            pass(model);
        }
        running_ += int64_t(desks_[model].running.size());
    }
}

void Scheduler::drop_cancelled(size_t model) {
    std::erase_if(desks_[model].running, [&](const auto& entry) {
        const bool cancelled = entry.second.job->cancelled_;
        if (cancelled) {
            models_[model].generator->leave(entry.first);
        }
        return cancelled;
    });
}

// Renews the model if it can be. Returns whether texts may begin.
bool Scheduler::is_current(size_t model) {
    Model& one = models_[model];
    if (!one.has_newer || !one.has_newer()) {
        return true;
    }
    const bool is_free = desks_[model].running.empty();
    if (is_free) {
        one.generator = one.renew();
    }
    return is_free;
}

void Scheduler::start_waiting(size_t model) {
    const std::lock_guard lock(mutex_);
    Desk& desk = desks_[model];
    Generator& generator = *models_[model].generator;
    while (!desk.waiting.empty()) {
        const Waiting& next = desk.waiting.front();
        if (!next.job->cancelled_) {
            const TextRequest& request = next.job->requests_[next.request];
            if (generator.free_places() < request.samples) {
                break;
            }
            int64_t text = next.first_text;
            for (const int64_t place : generator.join(request)) {
                desk.running.insert_or_assign(place, Running{.job = next.job,
                                                             .text = text++,
                                                             .stop = StopStrings(next.job->stops_),
                                                             .of_prompt = request.prompt.size()});
            }
        }
        desk.waiting.pop_front();
    }
}

void Scheduler::pass(size_t model) {
    Desk& desk = desks_[model];
    try {
        models_[model].generator->pass(
            [&](const Generator::Token& token) { take_token(model, token); },
            [&](int64_t place, End why) {
                Running& one = desk.running.at(place);
                one.job->give({.text = one.text, .bytes = one.stop.finish(), .end = why});
                desk.running.erase(place);
            });
    } catch (const Error& error) {  // such as weights that make no numbers
        for (auto& [place, one] : desk.running) {
            one.job->fail(error.what());
        }
        desk.running.clear();
        models_[model].generator->clear();
    }
}

void Scheduler::take_token(size_t model, const Generator::Token& token) {
    Running& one = desks_[model].running.at(token.sample);
    const std::string_view bytes = models_[model].tokenizer->token_bytes(token.id);
    if (one.of_prompt > 0) {
        --one.of_prompt;
        if (one.job->tell_prompt_) {
            one.job->give({.text = one.text,
                           .bytes = std::string(bytes),
                           .of_prompt = true,
                           .token = WrittenToken(token)});
        }
        return;
    }
    Job::Piece piece{.text = one.text, .bytes = one.stop.add(bytes), .token = WrittenToken(token)};
    if (!one.stop.stopped()) {
        one.job->give(std::move(piece));
        return;
    }
    piece.end = End::stop_string;
    piece.stop = one.stop.found();
    one.job->give(std::move(piece));
    models_[model].generator->leave(token.sample);
    desks_[model].running.erase(token.sample);
}

void Scheduler::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
}

void Scheduler::interrupt() {
    const std::lock_guard lock(mutex_);
    for (size_t model = 0; model < models_.size(); ++model) {
        for (auto& [place, one] : desks_[model].running) {
            one.job->give({.text = one.text, .bytes = one.stop.finish(), .end = End::interrupted});
        }
        for (const Waiting& one : desks_[model].waiting) {
            for (int64_t i = 0; i < one.job->requests_[one.request].samples; ++i) {
                one.job->give({.text = one.first_text + i, .bytes = "", .end = End::interrupted});
            }
        }
        desks_[model].running.clear();
        desks_[model].waiting.clear();
        models_[model].generator->clear();
    }
    running_ = 0;
}

bool Scheduler::idle() const {
    const std::lock_guard lock(mutex_);
    return running_ == 0 && nothing_waits();
}

bool Scheduler::nothing_waits() const {
    return std::ranges::all_of(desks_, [](const Desk& desk) { return desk.waiting.empty(); });
}

}  // namespace smoe
