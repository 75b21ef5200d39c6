// The program on a terminal: a pseudo-terminal of a chosen width, whose screen is read by
// tests/terminal.h, which throws for every control except those of a progress line. Further cases
// are signals that were ignored when it started, names that only a shell could misread, and runs
// that would otherwise have come to nothing. The program is built in float only, so these cases
// belong to the float tests.
// Read next: runs_test.cpp.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "core/file.h"
#include "core/terminal.h"
#include "core/text.h"
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

void wait_for_file(const std::string& name) {
    for (int i = 0; i < 2000 && !file_exists(workshop() + "/" + name); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
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

TEST_CASE("on a terminal: help is as wide as the terminal, and 80 columns in a pipe") {
    const auto letters = [](std::string text) {
        std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
        return text;
    };
    const auto longest_line = [](const std::string& text) {
        int64_t longest = 0;
        for (const std::string& line : split(text, '\n')) {
            longest = std::max(longest, columns_of(line));
        }
        return longest;
    };
    for (const std::string words :
         {"--help", "--help-all", "train --help", "generate --help", "tokenizer train --help"}) {
        const std::string piped = done(words).out;
        CHECK(longest_line(piped) > 60);
        CHECK(longest_line(piped) <= 80);
        size_t rows = SIZE_MAX;
        for (const int columns : {40, 80, 120}) {
            const Shown shown = on_terminal(words, columns);
            INFO(words << " on " << columns << " columns");
            check_fits(shown, columns);
            CHECK(letters(join(shown.screen, "\n")) == letters(piped));
            CHECK(shown.screen.size() < rows);  // more fits into a row
            rows = shown.screen.size();
        }
    }
    // Descriptions have a column of their own, or, where that would be too narrow, lines.
    for (const std::string& line : split(done("generate --help").out, '\n')) {
        CHECK((!line.starts_with("  --samples") || line.substr(30) == "texts to write"));
    }
    const Shown narrow = on_terminal("generate --help", 40);
    CHECK(count_of(narrow.screen, "  --samples INT") == 1);
    CHECK(count_of(narrow.screen, "        texts to write") == 1);
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

TEST_CASE("signals: what was ignored at the start stays ignored") {
    // The signal that ends it proves that those before were not obeyed.
    for (const int ignored : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
        CAPTURE(ignored);
        std::filesystem::remove_all(workshop() + "/deaf");
        const pid_t program =
            start_program(split("train --run deaf" + data + tiny_settings() +
                                    "--log-every 1 --steps 100000000 --checkpoint-every 0",
                                ' '),
                          {.ignored_signals = {ignored}});
        wait_for_file("deaf/metrics.jsonl");
        CHECK(::kill(program, ignored) == 0);
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        siginfo_t ended = {};
        CHECK(::waitid(P_PID, id_t(program), &ended, WEXITED | WNOHANG | WNOWAIT) == 0);
        CHECK(ended.si_pid == 0);
        CHECK(::kill(program, ignored == SIGINT ? SIGTERM : SIGINT) == 0);
        CHECK(wait_for_program(program).status == 130);
    }
}

TEST_CASE("printed commands can be pasted") {
    const std::string program = std::getenv("SMOE_PROGRAM");
    for (const std::string run : {"my run", "it's", "-x", "a;b", "--run", "new\nline"}) {
        CAPTURE(run);
        std::filesystem::remove_all(workshop() + "/" + run);
        std::vector<std::string> words =
            split("train" + data + tiny_settings() + "--steps 100000000", ' ');
        words.push_back("--run");
        words.push_back(run.starts_with("-") ? "./" + run : run);
        const pid_t started = start_program(words, {.name = program});
        wait_for_file(run + "/metrics.jsonl");
        CHECK(::kill(started, SIGINT) == 0);
        const Outcome outcome = wait_for_program(started);
        CHECK(outcome.status == 130);
        const size_t begin = outcome.out.find("Go on with\n    ") + 15;
        REQUIRE(begin < outcome.out.size());
        const std::string command =
            outcome.out.substr(begin, outcome.out.find('\n', begin) - begin);
        INFO(command);
        CHECK(command.starts_with(program));
        put("paste.sh", "cd '" + workshop() + "' && " + command + " --steps 1 2>&1\n");
        FILE* const shell = ::popen(("bash '" + workshop() + "/paste.sh'").c_str(), "r");
        REQUIRE(shell != nullptr);
        std::string said(4096, '\0');
        said.resize(std::fread(said.data(), 1, said.size(), shell));
        INFO(said);
        CHECK(::pclose(shell) == 0);
        CHECK(has(said, "going on from step"));
    }
}

TEST_CASE("minutes: at least one step, and what they count") {
    const std::string train = "train --run brief" + data + tiny_settings();
    const size_t steps = train.find("--steps 6 ");
    const std::string untimed = train.substr(0, steps) + train.substr(steps + 10);
    const Outcome brief = done(untimed + "--minutes 1e-9");
    CHECK(has(brief.out, "training for 1e-09 minutes\n"));
    CHECK(has(brief.out, "1e-09 minutes were over before the first step had ended\n"));
    CHECK(has(brief.out, "saved in brief\n"));
    CHECK(has(contents("brief/metrics.jsonl"), R"({"step": 1, )"));
    done("eval brief --data corpus/valid.jsonl");
    // Once more, without being told: one more step of the same time.
    const Outcome more = done("train --run brief --resume");
    CHECK(has(more.out, "training for 1e-09 more minutes\n"));
    CHECK(has(contents("brief/metrics.jsonl"), R"({"step": 2, )"));
    CHECK(has(unwrapped(done("train --help").out), "so many more"));
    // Steps that were taken before are not taken again, and nothing is said to be saved.
    const Outcome nothing = done("train --run brief --resume --steps 2");
    CHECK(has(nothing.out, "step 2 is reached, so there is nothing to do"));
    CHECK_FALSE(has(nothing.out, "saved in brief\n"));
}

TEST_CASE("generate: a prompt that leaves no room is refused") {
    // The run's context is 40, with the start token; x is a token.
    const auto prompt = [](size_t length) {
        return "generate run --sampling greedy --prompt " + std::string(length, 'q');
    };
    CHECK(done(prompt(38)).out.size() > 39);
    for (const size_t length : {39, 40, 400}) {
        refused(prompt(length), 1, "at most 38 leave room for a new one");
    }
}

}  // namespace smoe
#endif
