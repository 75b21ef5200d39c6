// The program from outside, as in the README: every command once, then every kind of routing,
// optimiser and mask.
// Read next: runs_test.cpp and refusals_test.cpp for the details.
#ifndef SMOE_DOUBLE

#include <doctest/doctest.h>

#include <filesystem>

#include "core/file.h"
#include "tests/examples/program.h"
#include "tests/models/small_run.h"

namespace smoe {
namespace {

const std::string tiny_train =
    "train --width 16 --layers 1 --heads 2 --hidden 32 --router-width 8 --router-layers 1 "
    "--router-heads 2 --router-hidden 16 --entries 300 --context 40 --batch 4 --steps 6 "
    "--log-every 2 "
    "--eval-every 3 --checkpoint-every 3 --sample-every 4 --router-steps 3 ";
const std::string train_corpus = tiny_train + "--data corpus/train.jsonl ";

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// A folder with a small corpus in it.
struct Workplace : TemporaryFolder {
    explicit Workplace(const std::string& name) : TemporaryFolder("program-" + name) {
        REQUIRE(run("corpus -o corpus --stories 60 --valid-stories 10").status == 0);
    }
    Outcome run(const std::string& arguments) const { return run_program(path, arguments); }
    void write(const std::string& name, const std::string& text) const {
        write_file(path + "/" + name, text);
    }
    bool has(const std::string& name) const { return file_exists(path + "/" + name); }
};

}  // namespace

TEST_CASE("program: corpus, train, eval, generate, verify") {
    const Workplace place("path");
    const Outcome trained = place.run(train_corpus + "--valid corpus/valid.jsonl --run run");
    CHECK(trained.status == 0);
    CHECK(trained.err.empty());
    CHECK(contains(trained.out, "held-out loss"));
    CHECK(contains(trained.out, "loss over steps"));
    for (const char* name : {"config.json", "tokenizer.json", "model.safetensors",
                             "router.safetensors", "state.safetensors", "metrics.jsonl"}) {
        CHECK(place.has(std::string("run/") + name));
    }
    const Outcome measured = place.run("eval run --data corpus/valid.jsonl");
    CHECK(measured.status == 0);
    for (const char* word : {"english", "german", "sums", "bits/byte", "share of each expert"}) {
        CHECK(contains(measured.out, word));
    }
    const std::string generate = "generate run --prompt 'Once upon' --max-tokens 10 ";
    const Outcome once = place.run(generate + "--samples 3 --seed 4");
    CHECK(once.status == 0);
    CHECK(once.out.starts_with("Once upon"));
    CHECK(place.run(generate + "--samples 3 --seed 4").out == once.out);
    CHECK(place.run(generate + "--samples 3 --seed 5").out != once.out);
    CHECK(contains(place.run(generate + "--show-experts").out, "\x1b[38;5;"));
    for (const char* kind : {"greedy", "multinomial", "nucleus"}) {
        CHECK(place.run(generate + "--sampling " + kind).status == 0);
    }
    CHECK(place.run("generate run --prompt \"$(printf 'a\\377b')\"").status == 0);

    const std::string golden =
        std::filesystem::absolute("tests/golden/smoe_half_masked.safetensors");
    const Outcome verified = place.run("verify '" + golden + "'");
    CHECK(verified.status == 0);
    CHECK(contains(verified.out, "passed: "));
    std::string tampered = read_file(golden);
    tampered[tampered.size() - 2] ^= 0x40;
    place.write("tampered.safetensors", tampered);
    CHECK(place.run("verify tampered.safetensors").status == 1);
}

TEST_CASE("program: every kind of routing, optimiser and mask trains and writes") {
    const Workplace place("kinds");
    int number = 0;
    for (const char* kind :
         {"--routing hash", "--routing random", "--routing none", "--optimizer adamw",
          "--optimizer sgd", "--mask-where hidden", "--mask-where output", "--pad", "--long split",
          "--long drop --context 200", "--pre-tokenizer none"}) {
        CAPTURE(kind);
        const std::string run = "run" + std::to_string(++number);
        const Outcome outcome = place.run(train_corpus + kind + " --run " + run);
        CAPTURE(outcome.err);
        CHECK(outcome.status == 0);
        CHECK(place.run("generate " + run + " --max-tokens 5").status == 0);
    }
}

}  // namespace smoe

#endif
