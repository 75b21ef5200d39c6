// A run that is killed, or whose disk fails, at any moment: it can be resumed from what is on disk,
// and it ends like a run that was left alone, bit for bit. The moments are the calls that change
// the disk (tests/faults/fault.cpp), and random ones. The tests take a sample of them, or, with
// SMOE_EVERY_MOMENT set (`make endurance`), every call and 200 random moments. The program is built
// in float only, so these cases belong to the float tests. A system without LD_PRELOAD (macOS)
// leaves them out.
//
// Read next: refusals_test.cpp.
#if !defined(SMOE_DOUBLE) && defined(__linux__)
#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "core/check.h"
#include "core/file.h"
#include "core/rng.h"
#include "tests/examples/workshop.h"

namespace smoe {
namespace {

// Three steps an epoch, a checkpoint every second step, the router frozen after the third.
const std::string train = "train --data corpus/train.jsonl --valid corpus/valid.jsonl" +
                          tiny_settings() +
                          "--batch 20 --steps 7 --checkpoint-every 2 --log-every 1 --run ";

bool every_moment() {
    return std::getenv("SMOE_EVERY_MOMENT") != nullptr;
}

// Goes on with what is left of `run`, from its beginning if nothing is.
Outcome go_on(const std::string& run) {
    return smoe_program(file_exists(workshop() + "/" + run + "/config.json")
                            ? "train --run " + run + " --resume"
                            : train + run);
}

void check_like_unharmed(const std::string& run) {
    for (const char* file : {"model", "router", "state"}) {
        CHECK(contents(run + "/" + file + ".safetensors") ==
              contents(std::string("unharmed/") + file + ".safetensors"));
    }
    // Each step is reported once, and each report is whole.
    const auto steps = [](const std::string& name) {
        std::vector<std::string> found;
        for (const std::string& line : split(contents(name + "/metrics.jsonl"), '\n')) {
            CHECK(line.ends_with("}"));
            found.push_back(line.substr(0, line.find(',')));
        }
        return found;
    };
    CHECK(steps(run) == steps("unharmed"));
    for (const auto& entry : std::filesystem::directory_iterator(workshop() + "/" + run)) {
        const std::string name = entry.path().filename().string();
        CHECK(!name.ends_with(".smoe-tmp"));
        CHECK(name.find("next") == name.npos);
    }
}

void make_unharmed() {
    static bool made = false;
    if (!std::exchange(made, true)) {
        REQUIRE(smoe_program(train + "unharmed").status == 0);
    }
}

// Lets the fault happen at call 1, 1 + stride, ... until a run comes through without it; body sees
// the outcome of each.
template <class Body>
void for_each_moment(const std::string& kind, int stride, const Body& body) {
    make_unharmed();
    const std::string run = "faulty";
    int64_t moment = 1;
    for (;; moment += every_moment() ? 1 : stride) {
        INFO(kind << " at call " << moment);
        std::filesystem::remove_all(workshop() + "/" + run);
        const Outcome outcome =
            smoe_program(train + run, {.fault = fmt::format("{} {}", kind, moment)});
        if (outcome.status == 0) {
            break;
        }
        body(run, outcome);
        CHECK(go_on(run).status == 0);
        check_like_unharmed(run);
    }
    CHECK(moment > 100);  // the calls of three checkpoints at least
}

}  // namespace

TEST_CASE("killed: at a call that changes the disk") {
    for_each_moment("kill", 23, [](const std::string&, const Outcome& outcome) {
        CHECK(outcome.status == 128 + SIGKILL);
    });
}

TEST_CASE("killed: a disk that is full, or read-only from some moment on") {
    for (const std::string kind : {"full", "read-only"}) {
        for_each_moment(kind, 47, [&](const std::string& run, const Outcome& outcome) {
            CHECK(outcome.status == 1);
            CHECK(outcome.err.starts_with("smoe: error: cannot "));
            CHECK(outcome.err.find(run) != outcome.err.npos);
            CHECK(outcome.err.find(kind == "full" ? "No space left" : "Read-only") !=
                  outcome.err.npos);
            CHECK(outcome.err.find('\n') + 1 == outcome.err.size());
        });
    }
}

TEST_CASE("killed: at random instants, again and again on the way") {
    make_unharmed();
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    REQUIRE(smoe_program(train + "timed").status == 0);
    const double whole_run = std::chrono::duration<double>(Clock::now() - start).count();
    Rng rng{uint64_t(::getpid())};  // other instants in every run of the tests
    int kills = 0;
    for (const int wanted = every_moment() ? 200 : 12; kills < wanted;) {
        std::filesystem::remove_all(workshop() + "/shot");
        Outcome outcome{.status = 128 + SIGKILL, .out = "", .err = ""};
        while (outcome.status == 128 + SIGKILL && kills < wanted) {
            const bool resume = file_exists(workshop() + "/shot/config.json");
            const pid_t program =
                start_program(split(resume ? "train --run shot --resume" : train + "shot", ' '));
            std::this_thread::sleep_for(std::chrono::duration<double>(rng.uniform() * whole_run));
            ::kill(program, SIGKILL);
            outcome = wait_for_program(program);
            CHECK((outcome.status == 0 || outcome.status == 128 + SIGKILL));
            kills += outcome.status != 0;
        }
        CHECK(go_on("shot").status == 0);
        check_like_unharmed("shot");
    }
}

}  // namespace smoe
#endif
