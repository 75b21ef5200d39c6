// The program from outside: every command once, runs that go on, and everything that can be wrong
// with what a user hands it. A failure is one line on standard error, its status, and nothing
// half-written.
#ifndef SMOE_DOUBLE

#include <doctest/doctest.h>

#include <algorithm>
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
    std::string read(const std::string& name) const { return read_file(path + "/" + name); }
    bool has(const std::string& name) const { return file_exists(path + "/" + name); }

    // The command must fail with `status` and one line that contains `message`.
    void refuses(const std::string& arguments, int status, const std::string& message) const {
        const Outcome outcome = run(arguments);
        CAPTURE(arguments);
        CAPTURE(outcome.err);
        CHECK(outcome.status == status);
        CHECK(outcome.err.starts_with("smoe: error: "));
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
        CHECK(contains(outcome.err, message));
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
            CHECK(entry.path().extension() != ".tmp");
        }
    }
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

TEST_CASE("program: help of every command") {
    const Workplace place("help");
    CHECK(place.run("--help").status == 0);
    for (const char* command : {"corpus", "tokenizer", "train", "eval", "generate", "verify"}) {
        const Outcome help = place.run(std::string(command) + " --help");
        CHECK(help.status == 0);
        CHECK(contains(help.out, "--help"));
    }
    CHECK(contains(place.run("train --help").out, "tiny 128, small 256, paper 512"));
}

TEST_CASE("program: a run that goes on equals one that was never stopped, with any threads") {
    const Workplace place("resume");
    REQUIRE(place.run(train_corpus + "--run straight --threads 1").status == 0);
    REQUIRE(place.run(train_corpus + "--run broken --threads 2 --steps 2").status == 0);
    REQUIRE(place.run("train --run broken --resume --steps 4 --threads 1").status == 0);
    REQUIRE(place.run("train --run broken --resume --steps 6").status == 0);
    for (const char* name : {"model.safetensors", "router.safetensors", "state.safetensors"}) {
        CHECK(place.read(std::string("straight/") + name) ==
              place.read(std::string("broken/") + name));
    }
    place.refuses("train --run broken --resume --width 32", 1, "--width was '16'");
    place.refuses("train --run nothing --resume", 1, "not a run directory");
    place.refuses(train_corpus + "--run broken", 1, "already holds a run");
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

TEST_CASE("program: Ctrl-C saves, and the run goes on from there") {
    const Workplace place("interrupt");
    const char* const program = std::getenv("SMOE_PROGRAM");
    REQUIRE(program != nullptr);
    // A shell with job control, so that the program in the background hears SIGINT.
    const std::string command =
        "cd '" + place.path + "'\n'" + program + "' " + train_corpus +
        "--run run --steps 1000000 --checkpoint-every 0 --eval-every 0 --sample-every 0 >out.txt "
        "&\n"
        "pid=$!\n"
        "for i in $(seq 100); do [ -s run/metrics.jsonl ] && break; sleep 0.1; done\n"
        "kill -INT $pid\nwait $pid\necho $? >status.txt";
    place.write("interrupt.sh", "set -m\n" + command + "\n");
    REQUIRE(std::system(("bash '" + place.path + "/interrupt.sh' 2>/dev/null").c_str()) == 0);
    CHECK(place.read("status.txt") == "130\n");
    CHECK(contains(place.read("out.txt"), "interrupted; saved"));
    CHECK(place.has("run/state.safetensors"));
    CHECK(place.run("generate run --max-tokens 5").status == 0);
    CHECK(
        contains(place.run("train --run run --resume --minutes 0.001").out, "going on from step"));
}

TEST_CASE("program: text that cannot be used") {
    const Workplace place("text");
    place.write("empty.txt", "");
    place.write("blank.txt", "  \n\n");
    place.write("latin.txt", "abc\xff\xfe");
    std::string words;
    for (int i = 0; i < 20000; ++i) {
        words += "word ";
    }
    place.write("long.txt", words);
    place.write("no_text.csv", "a,b\n1,2\n");
    place.write("open.csv", "text\n\"abc");
    place.write("broken.jsonl", "{\"text\":\"a\"}\n{\"text\":\n");
    const std::pair<const char*, const char*> cases[] = {
        {"missing.txt", "No such file"},  {".", "it is a folder"},
        {"empty.txt", "holds no story"},  {"blank.txt", "holds no story"},
        {"latin.txt", "not valid UTF-8"}, {"long.txt", "--long split"},
        {"no_text.csv", "column named"},  {"open.csv", "never closed"},
        {"broken.jsonl", "line 2"},
    };
    for (const auto& [file, message] : cases) {
        place.refuses(tiny_train + "--run run --data " + file, 1, message);
        CHECK(!place.has("run"));
    }
    CHECK(place.run(tiny_train + "--run split --long split --data long.txt").status == 0);
}

TEST_CASE("program: settings that cannot be") {
    const Workplace place("settings");
    const std::pair<const char*, const char*> cases[] = {
        {"--heads 3", "heads"},       {"--experts 0", "experts"},
        {"--mask-rate 1", "[0, 1)"},  {"--mask-rate nan", "[0, 1)"},
        {"--dropout 1.5", "dropout"}, {"--batch 0", "batch"},
        {"--steps 0", "steps"},       {"--width 15", "width"},
        {"--lr 0", "learning rate"},  {"--lr nan", "learning rate"},
        {"--beta1 2", "betas"},       {"--beta1 0", "beta1"},
        {"--eps 0", "eps"},           {"--entries 10", "entries"},
        {"--context 2", "context"},   {"--minutes nan", "minutes"},
        {"--threads 0", "threads"},   {"--mask-rate 0.99 --experts 100", "would keep none"},
    };
    for (const auto& [flags, message] : cases) {
        place.refuses(train_corpus + "--run run " + flags, 1, message);
        CHECK(!place.has("run"));
    }
    place.write("key.json", R"({"model": {"widht": 3}})");
    place.refuses(train_corpus + "--run run --config key.json", 1, "did you mean 'width'?");
    place.write("group.json", R"({"modle": {}})");
    place.refuses(train_corpus + "--run run --config group.json", 1, "did you mean 'model'?");
    place.write("type.json", R"({"model": {"width": "wide"}})");
    place.refuses(train_corpus + "--run run --config type.json", 1, "wrong type");
    place.write("deep.json", std::string(100000, '['));
    place.refuses(train_corpus + "--run run --config deep.json", 1, "nested too deeply");
    place.write("cut.json", "{");
    place.refuses(train_corpus + "--run run --config cut.json", 1, "not valid JSON");
    CHECK(!place.has("run"));
}

TEST_CASE("program: wrong usage exits with 2") {
    const Workplace place("usage");
    place.refuses(train_corpus + "--run run --step 3", 2, "did you mean '--steps'?");
    place.refuses("trian", 2, "did you mean 'train'?");
    place.refuses("train --data corpus/train.jsonl", 2, "--run");
    place.refuses("train --run run", 2, "--data");
    place.refuses("train --run run --data x --preset huge", 2, "huge");
    place.refuses(train_corpus + "--run run --steps many", 2, "many");
    place.refuses("generate run --sampling best", 2, "best");
    place.refuses("verify", 2, "files");
    CHECK(place.run("").status == 2);
}

TEST_CASE("program: damaged and foreign run directories") {
    const Workplace place("damaged");
    REQUIRE(place.run(train_corpus + "--run run").status == 0);
    const auto with = [&](const std::string& name, const std::string& bytes,
                          const std::string& command, const std::string& message) {
        const std::string whole = place.read("run/" + name);
        place.write("run/" + name, bytes);
        place.refuses(command, 1, message);
        place.write("run/" + name, whole);
    };
    const std::string model = place.read("run/model.safetensors");
    with("model.safetensors", model.substr(0, 3000), "generate run", "model.safetensors");
    with("model.safetensors", place.read("run/router.safetensors"), "generate run", "shape");
    with("router.safetensors", "", "generate run", "router.safetensors");
    with("state.safetensors", place.read("run/state.safetensors").substr(0, 2000),
         "train --run run --resume --steps 9", "state.safetensors");
    with("state.safetensors", model, "train --run run --resume --steps 9", "no training state");
    REQUIRE(
        place.run("tokenizer train --data corpus/train.jsonl -o other.json --entries 299").status ==
        0);
    with("tokenizer.json", place.read("other.json"), "generate run", "not the tokenizer");
    with("tokenizer.json", "{}", "generate run", "tokenizer.json");
    place.refuses("generate run --prompt \"$(head -c 3000 corpus/train.jsonl)\"", 1, "fit into");
    place.refuses("generate corpus", 1, "not a run directory");
    place.refuses("verify run/model.safetensors", 1, "no golden file");
    CHECK(place.run("generate run --max-tokens 3").status == 0);
}

TEST_CASE("program: files that cannot be written leave what was there") {
    const Workplace place("write");
    place.write("file", "");
    place.refuses(train_corpus + "--run file/run", 1, "cannot create");
    place.refuses("tokenizer train --data corpus/train.jsonl -o missing/t.json", 1, "cannot write");
    place.refuses("corpus -o file", 1, "cannot create");

    // A limit on the size of files stands in for a full disk.
    REQUIRE(place.run(train_corpus + "--run run").status == 0);
    const std::string state = place.read("run/state.safetensors");
    const char* const program = std::getenv("SMOE_PROGRAM");
    REQUIRE(program != nullptr);
    const std::string limited = "cd '" + place.path + "' && trap '' XFSZ && ulimit -f 16 && '" +
                                program + "' train --run run --resume --steps 9 >out.txt 2>err.txt";
    CHECK(std::system(limited.c_str()) != 0);
    CHECK(contains(place.read("err.txt"), "smoe: error: cannot write 'run/"));
    CHECK(place.read("run/state.safetensors") == state);
    CHECK(!place.has("run/state.safetensors.tmp"));
    CHECK(place.run("train --run run --resume --steps 9").status == 0);
}

TEST_CASE("program: a loss that is not finite names the step and keeps the last checkpoint") {
    const Workplace place("nan");
    place.refuses(train_corpus +
                      "--routing none --run run --optimizer sgd --lr 1e4 --warmup 0 "
                      "--checkpoint-every 1 --steps 200",
                  1, "so training stops here");
    CHECK(contains(place.run("train --run run --resume --steps 200").err, "smoe: error: step "));
    CHECK(place.has("run/state.safetensors"));
    CHECK(place.run("eval run --data corpus/valid.jsonl").status == 0);
}

TEST_CASE("program: tokenizer encodes and decodes through pipes") {
    const Workplace place("pipe");
    REQUIRE(place.run("tokenizer train --data corpus/train.jsonl -o t.json --entries 300").status ==
            0);
    const std::string program = std::getenv("SMOE_PROGRAM");
    place.write("text", "H\xC3\xA4llo \xFF w\xC3\xB6rld\n");
    REQUIRE(std::system(("cd '" + place.path + "' && '" + program +
                         "' tokenizer encode t.json <text >ids && '" + program +
                         "' tokenizer decode t.json <ids >back")
                            .c_str()) == 0);
    CHECK(place.read("back") == place.read("text"));
}

}  // namespace smoe

#endif
