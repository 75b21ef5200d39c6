// First contact: what Tab proposes, as bash itself sees it; where a run goes that nobody named; a
// quiet run; and what to type next. The program is built in float only, so these cases belong to the
// float tests.
// Read next: examples/smoe/completion.cpp.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include "core/file.h"
#include "tests/examples/workshop.h"

namespace smoe {
namespace {

// What bash proposes for the last of `words`, such as "smoe train --rou".
std::vector<std::string> proposals(const std::string& words) {
    put("complete.sh", done("completion bash").out + "COMP_WORDS=(" + words + ")\n" +
                           (words.ends_with(" ") ? "COMP_WORDS+=('')\n" : "") +
                           "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_smoe\n"
                           "printf '%s\\n' \"${COMPREPLY[@]}\"\ncomplete -p smoe >/dev/null\n");
    FILE* const shell =
        ::popen(("cd '" + workshop() + "' && bash -u complete.sh 2>&1").c_str(), "r");
    REQUIRE(shell != nullptr);
    std::array<char, 1 << 16> text{};
    const size_t length = std::fread(text.data(), 1, text.size(), shell);
    CHECK(::pclose(shell) == 0);
    return split({text.data(), length}, '\n');
}

using Words = std::vector<std::string>;

bool proposes(const std::string& words, const std::string& word) {
    const Words found = proposals(words);
    return std::ranges::find(found, word) != found.end();
}

}  // namespace

TEST_CASE("completion: bash proposes commands, options, choices and files") {
    CHECK(proposals("smoe tr") == Words{"train"});
    CHECK(proposals("build/smoe tokenizer ") == Words{"train", "encode", "decode"});
    CHECK(proposals("smoe train --routi") == Words{"--routing"});
    CHECK(proposals("smoe train --data corpus/train.jsonl --schedule ") ==
          Words{"constant", "cosine", "linear"});
    CHECK(proposals("smoe train --routing hash_l") == Words{"hash_layers"});
    CHECK(proposals("smoe tokenizer train --pre-tokenizer g") == Words{"gpt2"});
    CHECK(proposals("smoe train --data corpus/t") == Words{"corpus/train.jsonl"});
    CHECK(proposes("smoe eval ru", "run"));
    CHECK(proposals("smoe train --steps ").empty());
    CHECK(proposals("smoe completion z") == Words{"zsh"});
    CHECK(proposes("smoe ", "generate"));
    CHECK(!proposes("smoe train --", "--samples"));  // which is of another command
    CHECK(proposes("smoe generate --", "--samples"));
    // A run may have the name of a command.
    CHECK(proposes("smoe eval train --", "--stories"));
    // Every option that the help of a command lists.
    const Words all = proposals("smoe train --");
    for (const std::string& line : split(done("train --help").out, '\n')) {
        if (line.starts_with("  --")) {
            CHECK(std::ranges::find(all, line.substr(2, line.find(' ', 2) - 2)) != all.end());
        }
    }
    CHECK(has(done("completion zsh").out, "bashcompinit"));
    refused("completion fish", 2, "fish");
    refused("completion", 2, "shell");
}

TEST_CASE("first contact: a run that nobody names gets the next number") {
    const std::string train =
        "train --data corpus/train.jsonl --valid corpus/valid.jsonl" + tiny_settings();
    std::filesystem::remove_all(workshop() + "/runs");
    CHECK(has(done(train).out, "run: runs/1\n"));
    put("runs/9", "a file counts");
    put("runs/007/x", "");
    put("runs/mine/x", "");
    CHECK(has(done(train).out, "run: runs/10\n"));
    const Outcome more = done("train --resume --steps 8");
    CHECK(has(more.out, "run: runs/10\n"));
    CHECK(has(more.out, "saved in runs/10\n"));
    CHECK(contents("runs/1/model.safetensors") == contents("run/model.safetensors"));
    std::filesystem::remove_all(workshop() + "/runs");
    refused("train --resume", 2, "--run");
    CHECK(has(unwrapped(done("train --help").out), "[the next of runs/1, runs/2, ...;"));
}

TEST_CASE("first contact: a quiet run says nothing and does the same") {
    CHECK(done(tiny_train() + "--run hushed --quiet --sample-every 2").out.empty());
    CHECK(contents("hushed/model.safetensors") == contents("run/model.safetensors"));
    const Outcome warned =
        smoe_program(tiny_train() + "--run hushed2 --quiet --valid corpus/train.jsonl");
    CHECK(warned.out.empty());
    CHECK(has(warned.err, "smoe: warning: "));
    refused(tiny_train() + "--run hushed --quiet", 1, "already holds a run");
}

}  // namespace smoe
#endif
