// A scheduler without sockets: jobs get what they would get alone, in the order in which they came;
// those that are cancelled free their places; the rest ends when it is told to.
// Read next: tests/examples/serve_test.cpp, the same through sockets.
#include "models/generation/scheduler.h"

#include <doctest/doctest.h>

#include <thread>

#include "tests/error_of.h"
#include "tests/models/small_run.h"

namespace smoe {
namespace {

constexpr std::chrono::milliseconds at_once{0}, a_while{20000};

// A model that knows the words of the corpus, and a scheduler with `places` for it.
struct Office {
    explicit Office(int64_t places, int64_t queue = 100, const char* routing = "hash")
        : tokenizer(small_tokenizer(small_stories(20))), moe(make_moe(routing)) {
        generator = std::make_unique<Generator>(*moe, tokenizer.end_of_text(), places);
        scheduler = std::make_unique<Scheduler>(
            std::vector<Scheduler::Model>{{moe.get(), &tokenizer, generator.get()}}, queue);
    }

    std::unique_ptr<SingleMoe> make_moe(const char* routing) const {
        Config config = small_config();
        config.model.router.kind = routing;
        config.model.vocab_size = tokenizer.vocab_size();
        auto made = std::make_unique<SingleMoe>(config.model, config.seed);
        made->eval();
        return made;
    }
    std::shared_ptr<Job> submit(const TextRequest& request,
                                const std::vector<std::string>& stops = {},
                                bool tell_prompt = false) {
        return scheduler->submit(0, {request}, stops, tell_prompt);
    }
    void work(int passes) {
        for (int i = 0; i < passes; ++i) {
            scheduler->work(at_once);
        }
    }

    Tokenizer tokenizer;
    std::unique_ptr<SingleMoe> moe;
    std::unique_ptr<Generator> generator;
    std::unique_ptr<Scheduler> scheduler;
};

struct Result {
    std::string bytes;
    std::vector<int32_t> ids;
    std::optional<End> end;
    std::string stop;
    bool operator==(const Result&) const = default;
};

// What has come of each text of a job so far.
std::map<int64_t, Result> results(Job& job, std::chrono::milliseconds longest = at_once) {
    std::map<int64_t, Result> found;
    std::vector<Job::Piece> pieces;
    bool more = true;
    while (more) {
        more = job.take(pieces, longest);
        if (pieces.empty()) {
            break;
        }
        for (const Job::Piece& piece : pieces) {
            Result& text = found[piece.text];
            CHECK_FALSE(text.end.has_value());  // nothing comes after an end
            text.bytes += piece.bytes;
            text.stop += piece.stop;
            if (piece.token.has_value()) {
                text.ids.push_back(piece.token->id);
            }
            text.end = piece.end;
        }
    }
    return found;
}

std::vector<TextRequest> requests_of(int64_t count) {
    std::vector<TextRequest> requests;
    for (int64_t i = 0; i < count; ++i) {
        requests.push_back({.prompt = std::vector<int32_t>(size_t(i % 5), int32_t(i)),
                            .sampling = {.kind = "multinomial"},
                            .seed = uint64_t(i),
                            .samples = 1 + i % 3,
                            .max_tokens = 3 + i % 17});
    }
    return requests;
}

}  // namespace

TEST_CASE("scheduler: a job gets what it would get alone, whoever else is there") {
    const std::vector<TextRequest> requests = requests_of(30);
    std::vector<std::map<int64_t, Result>> alone;
    for (const TextRequest& request : requests) {
        Office office(3);
        const auto job = office.submit(request);
        office.work(60);
        alone.push_back(results(*job));
        REQUIRE(int64_t(alone.back().size()) == request.samples);
    }
    Office office(5);
    std::vector<std::shared_ptr<Job>> jobs;
    for (size_t i = 0; i < requests.size(); ++i) {
        jobs.push_back(office.submit(requests[i]));
        if (i % 4 == 2) {
            jobs[i - 1]->cancel();
        }
        office.work(int(i % 3));
    }
    office.work(500);
    CHECK(office.scheduler->idle());
    CHECK(office.generator->free_places() == 5);
    for (size_t i = 0; i < requests.size(); ++i) {
        CAPTURE(i);
        if (i % 4 != 1 || i + 1 == requests.size()) {
            CHECK(results(*jobs[i]) == alone[i]);
        }
    }
    // Two prompts in one job, numbered through.
    const auto both = office.scheduler->submit(0, {requests[1], requests[2]}, {}, false);
    office.work(60);
    const auto found = results(*both);
    REQUIRE(found.size() == 5);
    CHECK(found.at(1) == alone[1].at(1));
    CHECK(found.at(2) == alone[2].at(0));
    CHECK(found.at(4) == alone[2].at(2));
}

TEST_CASE("scheduler: what a job reads is what a generator writes for the seed") {
    Office office(4, 100, "router");
    const TextRequest request{.prompt = office.tokenizer.encode("Once"), .seed = 8, .samples = 4};
    std::map<int64_t, Result> expected;
    Generator generator(*office.moe, office.tokenizer.end_of_text(), 4);
    generator.run(
        request,
        [&](const Generator::Token& token) { expected[token.sample].ids.push_back(token.id); },
        [&](int64_t place, End why) { expected[place].end = why; });
    for (auto& [place, text] : expected) {
        text.bytes = office.tokenizer.decode(text.ids);
    }
    const auto job = office.submit(request, {}, true);
    office.work(60);
    CHECK(results(*job) == expected);
}

TEST_CASE("scheduler: jobs are served in turn, and a cancelled one frees its places") {
    Office office(4);
    const TextRequest endless{
        .prompt = {1}, .sampling = {.kind = "greedy", .repetition_penalty = 1e9}, .samples = 2};
    const auto first = office.submit(endless), second = office.submit(endless),
               third = office.submit(endless);
    office.work(1);
    CHECK(office.generator->free_places() == 0);
    CHECK(results(*third).empty());
    second->cancel();
    office.work(1);
    CHECK(office.generator->free_places() == 0);  // the third has them
    CHECK(results(*first).size() == 2);
    office.work(2);
    CHECK(results(*third).size() == 2);
    // One that needs more places than are left waits, and those behind it wait, too.
    TextRequest four = endless;
    four.samples = 4;
    const auto large = office.submit(four), small = office.submit(endless);
    third->cancel();
    office.work(3);
    CHECK(office.generator->free_places() == 2);
    CHECK(results(*small).empty());
    first->cancel();
    office.work(3);
    CHECK(results(*large).size() == 4);
    large->cancel();
    small->cancel();
    office.work(1);
    CHECK(office.generator->free_places() == 4);
    CHECK(office.scheduler->idle());
}

TEST_CASE("scheduler: a stop string ends a text and frees its place") {
    Office office(1);
    const TextRequest request{.prompt = {}, .sampling = {.kind = "multinomial"}, .seed = 11};
    const auto job = office.submit(request);
    office.work(60);
    const Result whole = results(*job).at(0);
    REQUIRE(whole.bytes.size() > 8);
    const std::string stop = whole.bytes.substr(5, 2);
    const auto cut = office.submit(request, {stop, "never this"});
    office.work(60);
    const Result text = results(*cut).at(0);
    CHECK(text.end == End::stop_string);
    CHECK(text.stop == stop);
    CHECK(text.bytes == whole.bytes.substr(0, whole.bytes.find(stop)));
    CHECK(text.ids.size() < whole.ids.size());
    CHECK(office.generator->free_places() == 1);
}

TEST_CASE("scheduler: what is refused") {
    Office office(2, 3);
    const TextRequest request{.prompt = {1}, .sampling = {.kind = "greedy"}};
    TextRequest three = request;
    three.samples = 3;
    CHECK(error_of([&] { office.submit(three); }).find("2 texts are written at a time") !=
          std::string::npos);
    CHECK_THROWS_AS(office.submit({.prompt = {-1}}), Error);
    CHECK_THROWS_AS(office.submit(request, {""}), Error);
    std::vector<std::shared_ptr<Job>> jobs;
    for (int i = 0; i < 3; ++i) {
        jobs.push_back(office.scheduler->submit(0, {request, request}, {}, false));
    }
    const auto refusal = [&] {
        try {
            office.submit(request);
        } catch (const Refused& refused) {
            return std::optional(refused.why);
        }
        return std::optional<Refused::Why>();
    };
    CHECK(refusal() == Refused::Why::full);
    jobs[1]->cancel();
    CHECK(refusal() == std::nullopt);
    office.scheduler->close();
    CHECK(refusal() == Refused::Why::closed);
    office.work(300);
    CHECK(office.scheduler->idle());  // what was taken is done
    CHECK(results(*jobs[2]).size() == 2);
}

TEST_CASE("scheduler: an interruption ends all texts, those that wait included") {
    Office office(1);
    const TextRequest request{.prompt = {1},
                              .sampling = {.kind = "greedy", .repetition_penalty = 1e9}};
    const auto running = office.submit(request), waiting = office.submit(request);
    office.work(4);
    office.scheduler->interrupt();
    CHECK(office.scheduler->idle());
    CHECK(results(*running).at(0).end == End::interrupted);
    CHECK(results(*waiting).at(0).end == End::interrupted);
    const auto again = office.submit(request);
    office.work(60);
    CHECK(results(*again).at(0).end == End::context);
}

TEST_CASE("scheduler: a model that makes no numbers fails its jobs, and them alone") {
    Office office(2), broken(2);
    const Tensor weights = broken.moe->model.decoder().weight.value();
    weights.data()[0] = real(NAN);
    Scheduler scheduler({{broken.moe.get(), &broken.tokenizer, broken.generator.get()},
                         {office.moe.get(), &office.tokenizer, office.generator.get()}},
                        5);
    const TextRequest request{.prompt = {1}, .sampling = {.kind = "greedy"}, .max_tokens = 4};
    const auto bad = scheduler.submit(0, {request}, {}, false);
    const auto good = scheduler.submit(1, {request}, {}, false);
    for (int i = 0; i < 10; ++i) {
        scheduler.work(at_once);
    }
    std::vector<Job::Piece> pieces;
    const std::string message = error_of([&] { bad->take(pieces, at_once); });
    CHECK(message.find("not finite") != message.npos);
    CHECK(results(*good).at(0).end.has_value());
    CHECK(scheduler.idle());
}

TEST_CASE("scheduler: the end of a job wakes who sleeps on it, and so does a failure") {
    using Clock = std::chrono::steady_clock;
    for (const bool fails : {false, true}) {
        CAPTURE(fails);
        Office office(2);
        if (fails) {
            office.moe->model.decoder().weight.value().data()[0] = real(NAN);
        }
        const auto job = office.submit({.prompt = {1}, .samples = 2, .max_tokens = 4});
        const Clock::time_point start = Clock::now();
        job->sleep_until(start + at_once);  // nothing has come
        CHECK(Clock::now() >= start + at_once);
        std::thread sleeper([&] { job->sleep_until(start + std::chrono::minutes(10)); });
        office.work(10);
        sleeper.join();
        CHECK(Clock::now() < start + std::chrono::minutes(5));
        std::vector<Job::Piece> pieces;
        CHECK((error_of([&] { job->take(pieces, at_once); }) != "accepted") == fails);
    }
}

TEST_CASE("scheduler: jobs from many threads while one thread works") {
    Office office(3);
    const std::vector<TextRequest> requests = requests_of(12);
    std::vector<std::map<int64_t, Result>> found(requests.size());
    std::atomic<int> left = int(requests.size());
    std::vector<std::thread> people;
    for (size_t i = 0; i < requests.size(); ++i) {
        people.emplace_back([&, i] {
            found[i] = results(*office.submit(requests[i]), a_while);
            --left;
        });
    }
    while (left > 0) {
        office.scheduler->work(std::chrono::milliseconds(5));
    }
    for (std::thread& person : people) {
        person.join();
    }
    for (size_t i = 0; i < requests.size(); ++i) {
        CHECK(int64_t(found[i].size()) == requests[i].samples);
        for (const auto& [number, text] : found[i]) {
            CHECK(text.end.has_value());
        }
    }
}

}  // namespace smoe
