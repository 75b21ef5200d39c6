// The program on a terminal: a pseudo-terminal of a chosen width, whose screen is read by
// tests/terminal.h, which throws for every control but those of a progress line.
// The program is built in float only, so these cases belong to the float tests.
// Read next: runs_test.cpp.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "core/file.h"
#include "core/terminal.h"
#include "tests/examples/workshop.h"
#include "tests/terminal.h"

namespace smoe {
namespace {

const std::string data = " --data corpus/train.jsonl --valid corpus/valid.jsonl ";

struct Shown {
    Outcome outcome;
    std::string bytes;                // as they were written
    std::vector<std::string> screen;  // what a person sees in the end
};

// Runs the program with standard output on a terminal of so many columns.
Shown on_terminal(const std::string& words, int columns, Circumstances circumstances = {}) {
    const int controller = ::posix_openpt(O_RDWR | O_NOCTTY);
    REQUIRE(controller >= 0);
    REQUIRE(::grantpt(controller) == 0);
    REQUIRE(::unlockpt(controller) == 0);
    circumstances.output_file = ::ptsname(controller);
    const int terminal = ::open(circumstances.output_file.c_str(), O_RDWR | O_NOCTTY);
    winsize size = {};
    size.ws_col = static_cast<unsigned short>(columns);
    REQUIRE(::ioctl(terminal, TIOCSWINSZ, &size) == 0);
    circumstances.variables.emplace_back("TERM=xterm");
    circumstances.variables.emplace_back("NO_COLOR=");
    const pid_t program = start_program(split(words, ' '), circumstances);
    Shown shown;
    // To the end of the program, and of what it wrote before.
    for (bool running = true;;) {
        pollfd ready = {.fd = controller, .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, running ? 20 : 0) > 0) {
            char buffer[4096];
            const ssize_t count = ::read(controller, buffer, sizeof buffer);
            REQUIRE(count > 0);
            shown.bytes.append(buffer, size_t(count));
        } else if (!running) {
            break;
        }
        siginfo_t ended = {};
        running = ::waitid(P_PID, id_t(program), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                  ended.si_pid == 0;
    }
    shown.outcome = wait_for_program(program);
    ::close(terminal);
    ::close(controller);
    INFO(words << " on " << columns << " columns: " << shown.outcome.err);
    CHECK(shown.outcome.status == 0);
    Terminal screen{size_t(columns)};
    screen.write(shown.bytes);
    shown.screen = screen.rows();
    return shown;
}

void check_fits(const Shown& shown, int columns) {
    for (const std::string& row : shown.screen) {
        INFO(row);
        CHECK(columns_of(row) < columns);  // what fills a row may have been broken there
    }
}

int64_t count_of(const std::vector<std::string>& rows, const std::string& beginning) {
    return std::count_if(rows.begin(), rows.end(),
                         [&](const std::string& row) { return row.starts_with(beginning); });
}

}  // namespace

TEST_CASE("on a terminal: reports of every command fit") {
    const std::string settings = tiny_settings() + "--sample-every 3 --log-every 1 ";
    done("train --run many --experts 255" + data + tiny_settings());
    for (const int columns : {40, 57, 80, 132, 200}) {
        const std::string run = "shown-" + std::to_string(columns);
        for (const char* const experts : {"2", "10", "255"}) {
            const std::string name = run + "-" + experts;
            const Shown train = on_terminal(
                "train --run " + name + data + settings + "--experts " + experts, columns);
            check_fits(train, columns);
            // Of six reports each but the last of a stretch is overwritten: what interrupts them
            // takes their place, and the last one is in its turn replaced by the held-out loss.
            CHECK(count_of(train.screen, "step") == 2);
            CHECK(has(train.bytes, "\r\x1b[K"));
            check_fits(on_terminal("eval " + name + " --data corpus/valid.jsonl", columns),
                       columns);
        }
        const Shown written = on_terminal("generate many --show-experts --max-tokens 20", columns);
        CHECK(has(written.bytes, "\x1b[38;5;"));
        for (const std::string& row : written.screen) {
            CHECK(columns_of(row) <= columns);  // the text itself may fill a row
        }
        CHECK(written.screen.size() < 12);  // and not 255 counts
    }
}

TEST_CASE("on a terminal: one that obeys no escapes gets none") {
    for (const char* const kind : {"TERM=dumb", "TERM="}) {
        std::filesystem::remove_all(workshop() + "/dumb");
        const Circumstances dumb{.variables = {kind}};
        const Shown train = on_terminal("train --run dumb" + data + tiny_settings(), 80, dumb);
        CHECK_FALSE(has(train.bytes, "\x1b"));
        CHECK(count_of(train.screen, "step") == 5);  // three reports, each on its line, two losses
        check_fits(train, 80);
        CHECK_FALSE(has(on_terminal("generate dumb --show-experts --max-tokens 5", 80, dumb).bytes,
                        "\x1b"));
    }
}

TEST_CASE("in a pipe: whole lines, and colour only if asked for") {
    const Outcome eval = done("eval run --data corpus/valid.jsonl");
    CHECK_FALSE(has(eval.out, "\x1b"));
    const std::string asked = "generate run --prompt A --max-tokens 5 --show-experts";
    CHECK(has(done(asked, {.variables = {"NO_COLOR="}}).out, "\x1b[38;5;"));
    CHECK_FALSE(has(done(asked, {.variables = {"NO_COLOR=1"}}).out, "\x1b[38;5;"));
    const Circumstances narrow{.variables = {"COLUMNS=40"}};
    CHECK(done("eval run --data corpus/valid.jsonl", narrow).out == eval.out);
}

TEST_CASE("on a terminal: texts and names cannot steer it") {
    // ESC [ 2 J as single bytes, and a direction that turns around.
    const std::string ids = "27 91 50 74 65 226 128 174 66 10";
    const Outcome piped = done("tokenizer decode run/tokenizer.json", {.input = ids});
    const Shown shown = on_terminal("tokenizer decode run/tokenizer.json", 80, {.input = ids});
    CHECK_FALSE(has(shown.bytes, "\x1b"));
    CHECK_FALSE(has(shown.bytes, "\u202E"));
    CHECK(columns_of(piped.out) > 0);

    put("domains.jsonl", R"({"text": "A fox and a hen.", "domain": "a\u202eb"})"
                         "\n"
                         R"({"text": "A dog.", "domain": "c\u009bd"})"
                         "\n");
    const Shown eval = on_terminal("eval run --data domains.jsonl", 80);
    CHECK(has(eval.bytes, "a\uFFFDb "));
    CHECK(has(eval.bytes, "c d "));
    const Shown json = on_terminal("eval run --json --data domains.jsonl", 1000);
    CHECK(has(json.bytes, "a\\u202eb"));
    CHECK(has(done("eval run --json --data domains.jsonl").out, "a\u202Eb"));
    check_complaint(smoe_program(std::string("eval run\u202E --data x")), 1, "'run\uFFFD'");
}

}  // namespace smoe
#endif
