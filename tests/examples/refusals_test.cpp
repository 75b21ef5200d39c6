// What the program does with what it cannot use: one line that says why, the right exit status, and
// every file as it was before.
// The program is built in float only, so these cases belong to the float tests.
//
// Read next: workshop.h.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "models/training/config.h"
#include "tests/examples/workshop.h"

namespace smoe {
namespace {

void refused_data(const std::string& name, const std::string& bytes, const std::string& part) {
    put(name, bytes);
    refused("train --run new --data " + name + tiny_settings(), 1, part);
}

void truncate(const std::string& name) {
    const std::string bytes = contents(name);
    put(name, bytes.substr(0, bytes.size() - 100));
}

}  // namespace

TEST_CASE("refusals: wrong usage") {
    refused(tiny_train() + "--step 3", 2, "unknown option '--step', did you mean '--steps'?");
    refused(tiny_train() + "--step=3", 2, "did you mean '--steps'?");
    refused("train --rnu new", 2, "did you mean '--run'?");
    refused("trian --run new", 2, "unknown argument 'trian', did you mean 'train'?");
    refused("tokenizer encod own.json", 2, "did you mean 'encode'?");
    refused("tokenizer", 2, "train, encode or decode");
    refused(tiny_train() + "-x", 2, "unknown option '-x'");
    refused("eval run extra --data corpus/valid.jsonl", 2, "extra");
    refused("train --resume", 2, "--run");
    refused("train --run new", 2, "--data");
    refused("eval run", 2, "--data");
    refused("eval --data corpus/valid.jsonl", 2, "run");
    refused("verify", 2, "files");
    refused("export run", 2, "--hf");
    refused("export --hf new", 2, "run");
    refused("corpus", 2, "--out");
    refused(tiny_train() + "--preset huge", 2, "huge");
    refused(tiny_train() + "--routing chance", 2, "chance");
    refused(tiny_train() + "--steps", 2, "--steps");
    refused(tiny_train() + "--steps many", 2, "many");
    refused(tiny_train() + "--lr fast", 2, "fast");
    refused("generate run --sampling best", 2, "best");
    refused("generate run --precision half", 2, "half");
    refused(tiny_train() + "--precision half", 2, "half");
    refused("train --run run --resume --preset paper", 2, "--preset");
    for (const std::string number :
         {"--seed=-1", "--seed=18446744073709551616", "--warmup=18446744073709551616",
          "--steps=0010", "--steps=+9", "--steps=0x9", "--steps=1e3", "--batch=4.0", "--threads=02",
          "--experts=9223372036854775808"}) {
        refused(tiny_train() + number, 2, number.substr(number.find('=') + 1));
    }
    for (const std::string words :
         {"generate run --seed -1", "generate run --seed 18446744073709551616",
          "generate run --samples 03", "generate run --top-k 1.5", "generate run --max-tokens 0x9",
          "corpus -o new --seed -1", "corpus -o new --stories 010",
          "corpus -o new --valid-stories 1.",
          "tokenizer train --data corpus/train.jsonl -o new.json --entries 0300"}) {
        refused(words, 2, "not a whole number");
    }
}

TEST_CASE("refusals: impossible settings") {
    const std::vector<std::pair<std::string, std::string>> settings = {
        {"--heads 3", "multiple of its heads"},
        {"--router-heads 3", "the router's width"},
        {"--experts 0", "experts"},
        {"--experts -2", "experts"},
        {"--mask-rate 1", "mask_rate"},
        {"--mask-rate -0.1", "mask_rate"},
        {"--mask-rate nan", "mask_rate"},
        {"--mask-family partition --experts 4", "needs the rate 0.75"},
        {"--mask-family shared", "needs a number"},
        {"--mask-family shared:x", "a colon and a number"},
        {"--dropout 1.5", "dropout"},
        {"--router-dropout nan", "dropout"},
        {"--batch 0", "batch"},
        {"--batch -4", "batch"},
        {"--steps 0", "steps must be at least 1, found 0"},
        {"--steps -1", "steps"},
        {"--lr 0", "rate"},
        {"--lr nan", "rate"},
        {"--lr inf", "rate"},
        {"--beta1 1", "beta"},
        {"--beta2 -3", "beta"},
        {"--eps 0", "eps"},
        {"--eps nan", "eps"},
        {"--weight-decay nan", "eight"},
        {"--warmup -1", "warm"},
        {"--router-warmup -1", "warm"},
        {"--valid-share nan", "valid_share"},
        {"--valid-share 1", "valid_share"},
        {"--context 2", "context"},
        {"--entries 3", "entries"},
        {"--log-every 0", "log_every"},
        {"--eval-every -1", "eval_every"},
        {"--width 0", "width"},
        {"--layers 0", "layers"},
        {"--hidden 0", "hidden"},
        {"--router-steps -1", "router steps"},
        {"--threads 0", "threads"},
        {"--threads 100000", "threads"}};
    for (const auto& [flags, part] : settings) {
        refused(tiny_train() + flags, 1, part);
    }
    for (const std::string file : {"nope", "corpus/train.jsonl"}) {
        refused("train --run new --data corpus/train.jsonl --tokenizer " + file, 1, file);
    }
    refused("corpus -o new --stories 0", 1, "--stories");
    refused("tokenizer train --data corpus/train.jsonl -o new.json --entries 10", 1, "256");
    for (const std::string flag :
         {"--samples 0", "--samples 5000", "--temperature nan", "--top-p 0", "--top-k -1",
          "--max-tokens -1", "--min-p 2", "--repetition-penalty 0"}) {
        refused("generate run " + flag, 1, "found");
    }
}

TEST_CASE("refusals: text that cannot be used") {
    refused("train --run new --data nope.txt" + tiny_settings(), 1, "cannot open 'nope.txt'");
    refused("train --run new --data corpus" + tiny_settings(), 1, "it is a folder");
    refused("eval run --data corpus", 1, "it is a folder");
    refused_data("bad.txt", "", "'bad.txt' holds no story");
    refused_data("bad.txt", " \n\r\n\t ", "'bad.txt' holds no story");
    refused_data("bad.txt",
                 "a\xFF"
                 "b",
                 "not valid UTF-8 at byte 1");
    std::string unseparated;
    for (int i = 0; i < 300; ++i) {
        unseparated += "there was a fox ";
    }
    refused_data("bad.txt", unseparated, "training text: it holds one story of");
    refused_data("bad.csv", "a,b\n1,2\n", "\"text\"");
    refused_data("bad.csv", "text\n\"A fox.\n", "line 2");
    refused_data("bad.jsonl", "{\"text\": \"A fox.\"}\n{\"text\":\n", "'bad.jsonl' line 2");
    refused_data("bad.jsonl", "{\"text\": 3}\n", "line 1");
    refused_data("bad.json", "[{\"text\": \"A fox.\"}]\n", "'bad.json' is a JSON document");
    refused_data("bad.txt", std::string("A\0 \0f\0o\0x\0", 10), "'bad.txt' is text in UTF-16LE");
    put("short.txt", "A fox.\n<|endoftext|>\nA hen.\n");
    put("long.txt", std::string(200, 'x') + "\n<|endoftext|>\n" + std::string(200, 'y'));
    refused("train --run new --data short.txt --valid long.txt --long drop" + tiny_settings(), 1,
            "held-out text: none of the 2 stories is left");
    put("a\nb.txt", "");
    refused({"eval", "run", "--data", "a\nb.txt"}, 1, "'a b.txt' holds no story");
    put("f\xFF/stories.txt", "A fox.\n<|endoftext|>\nA hen.\n");
    std::vector<std::string> words = split("train --run new" + tiny_settings(), ' ');
    words.insert(words.end(), {"--data", "f\xFF/stories.txt"});
    refused(words, 1, "not valid UTF-8");
}

TEST_CASE("refusals: settings files that cannot be used") {
    const std::vector<std::pair<std::string, std::string>> files = {
        {R"({"model": {"widht": 3}})", "did you mean 'width'?"},
        {R"({"modle": {}})", "did you mean 'model'?"},
        {R"({"model": {"width": "wide"}})", "model.width"},
        {R"({"model": {"width": 16.5}})", "model.width"},
        {R"({"model": 3})", "'model' must be an object"},
        {R"({"model": {"width": 17}})", "'settings.json': "},
        {R"({"training": {"lr": 1e999}})", "out of range"},
        {"{\n\"model\": {]}", "line 2"},
        {"", "line 1"},
        {"[]", "object"},
        {std::string(100000, '['), "nested more than"},
        {R"({"training": {"lr": 0.1, "lr": 0.2}})",
         "'settings.json': the key \"lr\" is given twice"},
        {"\xFF", "not valid JSON"}};
    for (const auto& file : files) {
        const auto& [json, part] = file;
        INFO(file.first.substr(0, 60));
        put("settings.json", json);
        refused("train --run new --data corpus/train.jsonl --config settings.json", 1, part);
    }
    refused(tiny_train() + "--config nope.json", 1, "nope.json");
}

TEST_CASE("refusals: folders that hold a run, or none") {
    refused("train --run run --data corpus/train.jsonl", 1, "already holds a run");
    refused("train --run corpus --resume", 1, "not a run directory");
    refused("train --run new --resume", 1, "not a run directory");
    refused("eval corpus --data corpus/valid.jsonl", 1, "not a run directory");
    refused("generate new", 1, "not a run directory");
    refused("export corpus --hf new", 1, "not a run directory");
    refused("export run --hf run", 1, "'run' is not empty: choose another folder");
    refused("export run --hf corpus/train.jsonl", 1, "'corpus/train.jsonl'");
    refused("train --run run --resume --width 32", 1, "--width was '16'");
    refused("train --run run --resume --data corpus/valid.jsonl", 1, "trained on other text");
    refused("train --run run --resume --valid corpus/train.jsonl", 1, "the held-out text is not");
    refused("train --run run --resume --steps 0", 1, "steps");
    refused("train --run run --resume --minutes nan", 1, "minutes");
    // A state whose config.json is gone must not leak into a new run.
    put("orphan/state.safetensors", contents("run/state.safetensors"));
    refused(tiny_train() + "--run orphan", 1, "already holds a run");
    for (const std::string name :
         {"model.safetensors", "router.safetensors", "metrics.jsonl", "samples.jsonl"}) {
        put("taken-" + name + "/" + name, "somebody's");
        refused(tiny_train() + "--run taken-" + name, 1, "already holds a " + name);
    }
    put("taken/tokenizer.json", "somebody's");
    refused(tiny_train() + "--run taken", 1, "'taken/tokenizer.json'");
    put("taken/tokenizer.json", contents("run/tokenizer.json"));
    const std::string other = "already holds another tokenizer.json";
    refused(tiny_train() + "--entries 301 --run taken", 1, other);
    // It is seen before the model is built, and a tokenizer that is given is before text is read.
    refused(tiny_train() + "--entries 301 --mask-rate 0.9 --run taken", 1, other);
    done("tokenizer train --data corpus/train.jsonl --entries 301 -o given.json");
    put("bad.txt", "not \xFF UTF-8");
    refused("train --data bad.txt --tokenizer given.json --run taken", 1, other);
}

TEST_CASE("refusals: what can be seen at a glance is, before anything is read") {
    put("bad.txt", "not \xFF UTF-8");
    put("file", "here");
    copy_run("run", "broken");
    truncate("broken/model.safetensors");
    const std::string tokenizer = "tokenizer train --data bad.txt ";
    refused(tokenizer + "nope.txt -o new.json", 1, "'nope.txt'");
    refused(tokenizer + "-o nowhere/new.json", 1, "'nowhere/new.json'");
    refused(tokenizer + "-o corpus", 1, "'corpus': it is a folder");
    refused(tokenizer + "-o new.json --entries 10", 1, "256");
    refused("eval broken --data bad.txt nope.txt", 1, "'nope.txt'");
    refused("report broken --data nope.txt", 1, "'nope.txt'");
    refused("report broken -o nowhere/page.html", 1, "'nowhere/page.html'");
    refused("report --compare run broken new -o pages.html", 1, "'new' is not a run directory");
    refused("export broken --hf file", 1, "'file'");
    refused("export broken --hf corpus", 1, "'corpus' is not empty");
    refused("export broken --hf file/below", 1, "'file/below'");
    refused("generate broken --prompt " + std::string(200, '#'), 1, "the prompt has");
    copy_run("broken", "other-tokenizer");
    done("tokenizer train --data corpus/valid.jsonl --entries 300 -o valid.json");
    put("other-tokenizer/tokenizer.json", contents("valid.json"));
    for (const std::string words :
         {"generate", "eval --data corpus/valid.jsonl --", "experts --data corpus/valid.jsonl --",
          "report", "export --hf new", "train --data bad.txt --resume --run"}) {
        refused(words + " other-tokenizer", 1, "its hash is");
    }
    for (const std::string flag : {"--temperature 0", "--top-p 2", "--top-k -1"}) {
        refused("generate broken " + flag, 1, "sampling: ");
    }
    const std::string train = "train --data bad.txt" + tiny_settings() + "--run ";
    refused(train + "file/below", 1, "'file/below'");
    refused(train + "new --valid nope.txt", 1, "'nope.txt'");
    refused(train + "new --valid corpus", 1, "'corpus': it is a folder");
    put("bad.json", "{}");
    refused("train --data bad.txt --run new --tokenizer bad.json", 1, "'bad.json'");
    refused("train --run broken --resume --steps 9 --valid nope.txt", 1, "'nope.txt'");
    // Masks are drawn when the model is built, and then nothing of the run is there yet.
    refused(tiny_train() + "--mask-rate 0.9", 1, "would keep none of the");
    put("half/train.jsonl/here", "");
    refused("corpus -o half --stories 2 --valid-stories 2", 1,
            "'half/train.jsonl': it is a folder");
}

TEST_CASE("refusals: damaged runs") {
    const auto damaged = [](const std::string& file, const std::string& bytes) {
        copy_run("run", "damaged");
        put("damaged/" + file, bytes);
    };
    REQUIRE(smoe_program("tokenizer train --data corpus/valid.jsonl --entries 300 -o other.json")
                .status == 0);
    damaged("tokenizer.json", contents("other.json"));
    refused("eval damaged --data corpus/valid.jsonl", 1, "its hash is");
    refused("train --run damaged --resume --steps 8", 1, "its hash is");

    damaged("model.safetensors", contents("run/model.safetensors"));
    truncate("damaged/model.safetensors");
    refused("generate damaged", 1, "model.safetensors");
    damaged("model.safetensors", contents("run/router.safetensors"));
    refused("generate damaged", 1, "model.safetensors");
    damaged("model.safetensors", read_file("tests/golden/smoe_small.safetensors"));
    refused("eval damaged --data corpus/valid.jsonl", 1, "model.safetensors");
    std::string bytes = contents("run/model.safetensors");
    std::fill(bytes.end() - 40000, bytes.end(), '\xFF');  // numbers that are none
    damaged("model.safetensors", bytes);
    for (const std::string words : {"generate damaged", "export damaged --hf new",
                                    "eval damaged --data corpus/valid.jsonl", "report damaged"}) {
        refused(words, 1, "numbers that are not finite");
    }
    damaged("config.json", "{}");
    refused("generate damaged", 1, "damaged");
    const std::string settings_twice = contents("run/config.json");
    damaged("config.json", "{\"model_type\": \"smoe\", " + settings_twice.substr(1));
    refused("eval damaged --data corpus/valid.jsonl", 1, "the key \"model_type\" is given twice");
    std::filesystem::remove(workshop() + "/damaged/router.safetensors");
    damaged("config.json", contents("run/config.json"));
    std::filesystem::remove(workshop() + "/damaged/router.safetensors");
    refused("generate damaged", 1, "router.safetensors");
    refused("export damaged --hf new", 1, "router.safetensors");

    std::string config = contents("run/config.json");
    const std::string width = "\"hidden_size\": 16";
    REQUIRE(config.find(width) != config.npos);
    damaged("config.json", config.replace(config.find(width), width.size(), "\"hidden_size\": 8"));
    refused("generate damaged", 1, "hidden_size must be 16 as the settings have it, found 8");

    damaged("state.safetensors", contents("run/state.safetensors"));
    truncate("damaged/state.safetensors");
    truncate("damaged/state.previous.safetensors");
    refused("train --run damaged --resume --steps 99", 1,
            "'damaged/state.safetensors' is not a sound");
    damaged("state.safetensors", contents("run/model.safetensors"));
    refused("train --run damaged --resume", 1, "state.safetensors");
    // Numbers of the state that are out of all reason, of the same length as the right ones.
    const std::string state = contents("run/state.safetensors");
    for (const std::string key : {"\"steps\":\"", "\"tokens\":\"", "\"epoch\":\"", "\"batch\":\"",
                                  "\"model.optimizer.steps\":\"", "\"rng.model_dropout\":\""}) {
        std::string wrong = state;
        REQUIRE(wrong.find(key) != wrong.npos);
        wrong[wrong.find(key) + key.size()] = '-';
        damaged("state.safetensors", wrong);
        refused("train --run damaged --resume", 1, "state.safetensors");
    }
    // Sizes that only config.json claims: refused before they take the memory.
    damaged("state.safetensors", state);
    const nlohmann::ordered_json settings =
        nlohmann::ordered_json::parse(contents("run/config.json"));
    for (const char* part : {"model", "router"}) {
        for (const auto& [key, value] : std::map<std::string, int64_t>{
                 {"layers", 1000}, {"hidden", 1 << 20}, {"width", 1 << 16}}) {
            nlohmann::ordered_json large = settings;
            large[part][key] = value;
            for (const char* derived : {"num_hidden_layers", "intermediate_size", "hidden_size"}) {
                large.erase(derived);
            }
            damaged("config.json", large.dump());
            refused("generate damaged", 1, std::string(part) + ".safetensors");
            refused("train --run damaged --resume", 1, "state.safetensors");
        }
    }
    refused("generate run --prompt " + std::string(200, '#'), 1, "the prompt has");
}

#ifndef __SANITIZE_ADDRESS__  // whose own memory would not fit
TEST_CASE("refusals: a limit on address space, which OpenBLAS would wait behind for ever") {
    const std::string train = "train --run bound --data corpus/train.jsonl --steps 1 --threads 2";
    // With the flavour of OpenBLAS on OpenMP the lowest fail: that one waits before main.
    for (const int64_t mebibytes : {150, 300, 450, 600, 2000}) {
        CAPTURE(mebibytes);
        std::filesystem::remove_all(workshop() + "/bound");
        const Outcome outcome = smoe_program(train, {.address_space = mebibytes << 20});
        if (outcome.status != 0) {
            check_complaint(outcome, 1, "");
            CHECK((outcome.err.find("limit on address space") != std::string::npos ||
                   outcome.err.find("not enough memory") != std::string::npos));
        }
        CHECK((outcome.status == 0 || mebibytes < 2000));
    }
}
#endif

TEST_CASE("refusals: a loss that explodes") {
    const std::string words = tiny_train() + "--steps 40 ";
    const Outcome at_once = smoe_program(words + "--run burst --warmup 0 --lr 1e30");
    check_complaint(at_once, 1, "there is no checkpoint yet");
    CHECK(at_once.err.find("step ") != at_once.err.npos);
    CHECK(at_once.err.find("--lr") != at_once.err.npos);

    // The learning rate rises step by step, so that the first checkpoints are still sound.
    const std::string late = words + "--run late --optimizer sgd --lr 2000 --warmup 40 ";
    for (const std::string more :
         {"--eval-every 0 --checkpoint-every 1", "--eval-every 1 --checkpoint-every 2"}) {
        std::filesystem::remove_all(workshop() + "/late");
        check_complaint(smoe_program(late + more), 1, "is kept in 'late'");
        CHECK(smoe_program("eval late --data corpus/valid.jsonl").status == 0);
        // What was trained up to there can be read by any JSON parser.
        CHECK(contents("late/metrics.jsonl").find("nan") == std::string::npos);
    }
}

}  // namespace smoe
#endif
