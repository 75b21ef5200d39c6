// Quoted words as a shell reads them: it must pass on the word, byte by byte.
// Read next: terminal_test.cpp, where a command that was printed is run.
#include "examples/smoe/shell.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdio>

#include "core/file.h"
#include "core/rng.h"
#include "core/text.h"
#include "tests/models/small_run.h"

namespace smoe {
namespace {

// What bash makes of a line, whose word is printed between brackets.
std::string read_by_shell(const std::string& quoted) {
    const TemporaryFolder folder("quoting");
    write_file(folder.path + "/script", "printf '[%s]' " + quoted + "\n");
    FILE* const shell = ::popen(("bash '" + folder.path + "/script'").c_str(), "r");
    REQUIRE(shell != nullptr);
    std::array<char, 1024> word{};
    const size_t length = std::fread(word.data(), 1, word.size(), shell);
    REQUIRE(::pclose(shell) == 0);
    return {word.data(), length};
}

}  // namespace

TEST_CASE("shell: words are quoted where a shell would change them") {
    CHECK(shell_quoted("runs/mine-2_b.x") == "runs/mine-2_b.x");
    CHECK(shell_quoted("") == "''");
    CHECK(shell_quoted("my run") == "'my run'");
    CHECK(shell_quoted("it's") == "'it'\\''s'");
    CHECK(shell_quoted("~/run") == "'~/run'");
    CHECK(shell_quoted("$HOME") == "'$HOME'");
    CHECK(shell_quoted("=ls") == "'=ls'");
    CHECK(shell_quoted("Märchen") == "Märchen");
    CHECK(shell_quoted("a\nb") == "$'a\\012b'");
    CHECK(shell_quoted("a\u202Eb'") == "$'a\\342\\200\\256b\\047'");
    CHECK(shell_quoted("\xFF") == "$'\\377'");
    CHECK(shell_path("-x") == "./-x");
    CHECK(shell_path("--run now") == "'./--run now'");
    CHECK(shell_path("a-x") == "a-x");
    CHECK(own_command("eval x") == "smoe eval x");
    set_program_name(nullptr);
    set_program_name("");
    CHECK(own_command("eval x") == "smoe eval x");
    set_program_name("my build/smoe");
    CHECK(own_command("eval x") == "'my build/smoe' eval x");
    set_program_name("smoe");
}

TEST_CASE("shell: a shell reads what was meant") {
    for (const char* const word : {"plain",
                                   "",
                                   "two words",
                                   "it's",
                                   "'",
                                   "''",
                                   "\"$(rm -r x)\"",
                                   "`x`",
                                   "a\\b",
                                   "\\",
                                   "*",
                                   "?[a]",
                                   "{a,b}",
                                   "~",
                                   "#x",
                                   "!x",
                                   "a;b",
                                   "a&b",
                                   "<x",
                                   ">x",
                                   "(x)",
                                   "x=1",
                                   "Märchen",
                                   "a\tb",
                                   "a\nb",
                                   "\x1b[31m",
                                   "\u202Egnp.exe",
                                   "\u200D",
                                   "-n",
                                   "%s",
                                   "\xFF\xC3'"}) {
        CAPTURE(word);
        CHECK(read_by_shell(shell_quoted(word)) == std::string("[") + word + "]");
    }
    Rng rng(6, 0);
    for (int round = 0; round < 40; ++round) {
        std::string word;
        for (uint64_t i = rng.below(20); i > 0; --i) {
            word += char(1 + rng.below(255));
        }
        const std::string quoted = shell_quoted(word);
        CHECK(to_one_line(quoted) == quoted);
        CHECK(read_by_shell(quoted) == "[" + word + "]");
    }
}

}  // namespace smoe
