// Widths, colours and wrapping. A pseudo-terminal of any size stands in for a window; the
// environment is put back.
// Read next: tests/examples/terminal_test.cpp, the program on such a terminal.
#include "core/terminal.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <vector>

#include "core/rng.h"

namespace smoe {
namespace {

// Sets an environment variable, or removes it, while it lives.
class Variable {
  public:
    Variable(const char* name, const char* value) : name_(name) {
        if (const char* const before = std::getenv(name); before != nullptr) {
            before_ = before;
        }
        set(value);
    }
    ~Variable() { set(before_ ? before_->c_str() : nullptr); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

  private:
    void set(const char* value) const {
        value == nullptr ? ::unsetenv(name_) : ::setenv(name_, value, 1);
    }

    const char* name_;
    std::optional<std::string> before_;
};

// A pipe's end, and a terminal without a window.
struct Descriptors {
    Descriptors() {
        int ends[2] = {-1, -1};
        REQUIRE(::pipe(ends) == 0);
        other = ends[0], pipe = ends[1];
        controller = ::posix_openpt(O_RDWR | O_NOCTTY);
        REQUIRE(controller >= 0);
        REQUIRE(::grantpt(controller) == 0);
        REQUIRE(::unlockpt(controller) == 0);
        terminal = ::open(::ptsname(controller), O_RDWR | O_NOCTTY);
        REQUIRE(terminal >= 0);
    }
    ~Descriptors() {
        for (const int descriptor : {other, pipe, controller, terminal}) {
            ::close(descriptor);
        }
    }
    void resize(int columns) const {
        winsize size = {};
        size.ws_col = static_cast<unsigned short>(columns);
        size.ws_row = 24;
        REQUIRE(::ioctl(terminal, TIOCSWINSZ, &size) == 0);
    }

    int other, pipe, controller, terminal;
};

}  // namespace

TEST_CASE("terminal: its width is asked anew, and a pipe has none") {
    const Descriptors d;
    CHECK(is_terminal(d.terminal));
    CHECK_FALSE(is_terminal(d.pipe));
    for (const int columns : {80, 40, 200, 2, 1}) {
        d.resize(columns);
        CHECK(line_width(d.terminal) == std::max(1, columns - 1));
        CHECK(line_width(d.pipe) == any_width);
    }
    d.resize(0);  // it does not know
    const Variable sixty("COLUMNS", "60");
    CHECK(line_width(d.terminal) == 59);
    CHECK(line_width(d.pipe) == any_width);
    for (const char* const none : {"", "0", "-5", "x", "60x", "99999999999999", "1048576"}) {
        const Variable columns("COLUMNS", none);
        CHECK(line_width(d.terminal) == 79);
    }
    const Variable unset("COLUMNS", nullptr);
    CHECK(line_width(d.terminal) == 79);
}

TEST_CASE("terminal: escapes and colours, by TERM, NO_COLOR and whether there is a terminal") {
    const Descriptors d;
    const Variable term("TERM", "xterm-256color"), no_color("NO_COLOR", nullptr);
    CHECK(obeys_escapes(d.terminal));
    CHECK(wants_colour(d.terminal));
    CHECK_FALSE(obeys_escapes(d.pipe));
    CHECK_FALSE(wants_colour(d.pipe));
    CHECK(wants_colour(d.pipe, true));
    {
        const Variable empty("NO_COLOR", "");  // counts as not set
        CHECK(wants_colour(d.terminal));
        CHECK(wants_colour(d.pipe, true));
        const Variable set("NO_COLOR", "0");  // whatever it holds
        CHECK_FALSE(wants_colour(d.terminal, true));
        CHECK_FALSE(wants_colour(d.pipe, true));
        CHECK(obeys_escapes(d.terminal));
    }
    for (const char* const kind : {"dumb", "", static_cast<const char*>(nullptr)}) {
        const Variable dumb("TERM", kind);
        CHECK_FALSE(obeys_escapes(d.terminal));
        CHECK_FALSE(wants_colour(d.terminal, true));
        CHECK(wants_colour(d.pipe, true));  // who reads it there is not known
    }
}

TEST_CASE("terminal: columns, and text cut to them") {
    CHECK(columns_of("") == 0);
    CHECK(columns_of("a▅ä") == 3);
    CHECK(shortened("a▅ä", 3) == "a▅ä");
    CHECK(shortened("a▅äb", 3) == "a▅…");
    CHECK(shortened("abc", 1) == "…");
    CHECK(shortened("", 1) == "");
}

TEST_CASE("terminal: text is wrapped at blanks") {
    CHECK(wrapped("", 10) == "");
    CHECK(wrapped("one two", 7) == "one two");
    CHECK(wrapped("one two", 6, "") == "one\ntwo");
    CHECK(wrapped("one two three", 9, "  ") == "one two\n  three");
    CHECK(wrapped("one  two   ", 5, "") == "one\ntwo");
    CHECK(wrapped("  one two", 5, "  ") == "  one\n  two");
    CHECK(wrapped("abcdefgh", 3, "") == "abc\ndef\ngh");
    CHECK(wrapped("ab cdefgh", 4, " ") == "ab\n cde\n fgh");
    CHECK(wrapped("äöü äöü", 3, "") == "äöü\näöü");
    CHECK(wrapped("abc", 1, "    ") == "a\n    b\n    c");  // no room at all: one letter each
    CHECK(wrapped("a b", any_width) == "a b");

    // No word is lost, and no line is too long.
    Rng rng(5, 0);
    for (int round = 0; round < 300; ++round) {
        std::string text, letters;
        for (uint64_t i = rng.below(80); i > 0; --i) {
            text += rng.below(5) == 0 ? " " : rng.below(9) == 0 ? "é" : "x";
        }
        const int width = 4 + int(rng.below(30));
        const std::string lines = wrapped(text, width, "| ");
        for (size_t begin = 0; begin <= lines.size();) {
            const size_t end = std::min(lines.find('\n', begin), lines.size());
            CHECK(columns_of(lines.substr(begin, end - begin)) <= width);
            begin = end + 1;
        }
        std::string without;
        for (const char c : lines) {
            without += c == '|' || c == ' ' || c == '\n' ? "" : std::string(1, c);
        }
        for (const char c : text) {
            letters += c == ' ' ? "" : std::string(1, c);
        }
        CHECK(without == letters);
    }
}

}  // namespace smoe
