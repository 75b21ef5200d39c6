// `smoe tokenize`, and training from what it writes: the same bits as from the text.
// The program is built in float only, so these cases belong to the float tests.
// Read next: tests/models/text/token_file_test.cpp.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

#include "core/check.h"
#include "core/file.h"
#include "tests/examples/small_study.h"

namespace smoe {
namespace {

const std::string tokenize = "tokenize corpus/train.jsonl --tokenizer run/tokenizer.json -o ";

void make_token_files() {
    if (!file_exists(workshop() + "/tokens/train.tokens")) {
        std::filesystem::create_directories(workshop() + "/tokens");
        done(tokenize + "tokens/train.tokens");
        done("tokenize --tokenizer run/tokenizer.json -o tokens/valid.tokens corpus/valid.jsonl");
    }
}

// The flags of tiny_settings without those of a tokenizer to learn.
std::string settings() {
    std::string words = tiny_settings();
    words.erase(words.find("--entries 300"), std::string("--entries 300").size());
    return words;
}

std::string metrics(const std::string& run) {
    const std::regex times(R"re("(time|seconds|tokens_per_second|peak_bytes)": [0-9.]+(, )?)re");
    return std::regex_replace(contents(run + "/metrics.jsonl"), times, "");
}

void check_alike(const std::string& a, const std::string& b) {
    for (const std::string file : {"model", "router"}) {
        CHECK(contents(a + "/" + file + ".safetensors") ==
              contents(b + "/" + file + ".safetensors"));
    }
    CHECK(contents(a + "/tokenizer.json") == contents(b + "/tokenizer.json"));
    CHECK(metrics(a) == metrics(b));
}

}  // namespace

TEST_CASE("tokenize: training from tokens gives the bits of training from text") {
    make_token_files();
    put("tokens/three_train.csv",
        "text,domain\nA fox.,x\n\"A hen,\nand two dogs went out into the wood.\",\nA cow.,y\n");
    put("tokens/plain.txt",
        "A cat.\n<|endoftext|>\nA very long story: " + std::string(300, 'z') + "\n");
    done(
        "tokenize tokens/three_train.csv tokens/plain.txt corpus/train.jsonl --tokenizer "
        "run/tokenizer.json -o "
        "tokens/all.tokens");
    int number = 0;
    for (const std::string words :
         {"--valid-share 0.2", "--valid-share 0.2 --long split", "--valid-share 0.3 --long drop",
          "--valid-share 0.01", "--valid-share 0.2 --pad", "--routing hash_balanced",
          "--routing domain"}) {
        CAPTURE(words);
        const std::string text = fmt::format("tokens/text-{}", ++number);
        const std::string tokens = fmt::format("tokens/tokens-{}", number);
        const Outcome of_text = done(
            "train --data tokens/three_train.csv tokens/plain.txt corpus/train.jsonl "
            "--tokenizer run/tokenizer.json --run " +
            text + settings() + words);
        const Outcome of_tokens =
            done("train --data tokens/all.tokens --run " + tokens + settings() + words);
        if (!has(words, "hash_balanced") && !has(words, "domain")) {
            check_alike(text, tokens);
        } else {
            CHECK(contents(text + "/model.safetensors") == contents(tokens + "/model.safetensors"));
            CHECK(metrics(text) == metrics(tokens));
        }
        if (has(words, "split")) {  // nothing is cut, so the summary is the same, too
            const auto summary = [](const std::string& out) {
                return out.substr(out.find("training text:"),
                                  out.find("model:") - out.find("training text:"));
            };
            CHECK(summary(of_text.out) == summary(of_tokens.out));
        }
    }
    // Own held-out files of either kind.
    const std::string train = "train --data tokens/train.tokens" + settings();
    done(train + "--valid tokens/valid.tokens --run tokens/both");
    done(train + "--valid corpus/valid.jsonl --run tokens/one");
    done("train --data corpus/train.jsonl --valid tokens/valid.tokens --run tokens/other" +
         settings());
    done(
        "train --data corpus/train.jsonl --valid corpus/valid.jsonl --tokenizer run/tokenizer.json"
        " --run tokens/none" +
        settings());
    for (const std::string run : {"tokens/both", "tokens/one", "tokens/other"}) {
        check_alike(run, "tokens/none");
        CHECK(has(contents(run + "/config.json"), "\"entries\": 300"));
    }
}

TEST_CASE("tokenize: a run goes on with the tokens of its text, or with the text of its tokens") {
    make_token_files();
    const std::string text = "--data corpus/train.jsonl --valid corpus/valid.jsonl";
    const std::string tokens = "--data tokens/train.tokens --valid tokens/valid.tokens";
    done("train " + text + " --tokenizer run/tokenizer.json --run tokens/from-text" + settings());
    done("train " + tokens + " --run tokens/from-tokens" + settings());
    done("train --resume --run tokens/from-text --steps 9 " + tokens);
    done("train --resume --run tokens/from-tokens --steps 9 " + text);
    check_alike("tokens/from-text", "tokens/from-tokens");
    done("train --resume --run tokens/from-text --steps 10");
    refused("train --resume --run tokens/from-text --steps 12 --data tokens/valid.tokens", 1,
            "was trained on other text");
    refused("train --resume --run tokens/from-text --steps 12 --valid tokens/train.tokens", 1,
            "the held-out text is not the one");
}

TEST_CASE("tokenize: other commands read tokens as they read text") {
    make_token_files();
    for (const std::string words :
         {"eval run --json --stories --data ", "eval run --data ", "experts run --json --data "}) {
        const std::regex about("about [0-9.]+ % of the text"), exact("[0-9.]+ % of the text");
        const std::string tokens = done(words + "tokens/valid.tokens").out;
        const std::string text = done(words + "corpus/valid.jsonl").out;
        CHECK(std::regex_search(tokens, about) == has(text, "cut to"));
        CHECK(std::regex_replace(tokens, about, "") == std::regex_replace(text, exact, ""));
    }
    done("report run --data tokens/valid.tokens -o tokens/page.html");
    CHECK(has(contents("tokens/page.html"), "valid.tokens"));

    Json plan = small_plan();
    plan["base"]["data"] = "../tokens/train.tokens";
    plan["base"]["valid"] = "../tokens/valid.tokens";
    put_plan(plan);
    refused(study("tokens/token-study"), 1, "a .tokens file brings its own");
    plan["base"].erase("entries");
    put_plan(plan);
    done(study("tokens/token-study"));
    plan["base"]["data"] = "../corpus/train.jsonl";
    plan["base"]["valid"] = "../corpus/valid.jsonl";
    plan["base"]["tokenizer"] = "../run/tokenizer.json";
    put_plan(plan);
    done(study("tokens/text-study"));
    REQUIRE(runs_in("tokens/token-study").size() == 4);
    for (const std::string& run : runs_in("tokens/token-study")) {
        CHECK(contents("tokens/token-study/" + run + "/model.safetensors") ==
              contents("tokens/text-study/" + run + "/model.safetensors"));
    }
}

TEST_CASE("tokenize: what it refuses") {
    make_token_files();
    refused(tokenize + "new.bin", 1,
            "'new.bin' would be taken for text: give it the ending .tokens");
    refused(tokenize + "nowhere/new.tokens", 1, "'nowhere/new.tokens'");
    put("tokens/somebody.tokens", "somebody's");
    refused(tokenize + "tokens/somebody.tokens", 1,
            "'tokens/somebody.tokens' is there and is not a token file of smoe tokenize");
    refused("tokenize nope.txt --tokenizer run/tokenizer.json -o new.tokens", 1, "'nope.txt'");
    refused("tokenize corpus/train.jsonl --tokenizer nope.json -o new.tokens", 1, "'nope.json'");
    refused("tokenize corpus/train.jsonl -o new.tokens", 2, "--tokenizer");
    refused("tokenize --tokenizer run/tokenizer.json -o new.tokens", 2, "text");
    refused("tokenize tokens/train.tokens --tokenizer run/tokenizer.json -o new.tokens", 1,
            "'tokens/train.tokens' holds tokens and not text");
    refused("tokenizer train --data tokens/train.tokens -o new.json", 1,
            "holds tokens and not text");
    put("bad.txt", "a\xFF");
    refused("tokenize corpus/train.jsonl bad.txt --tokenizer run/tokenizer.json -o new.tokens", 1,
            "'bad.txt' is not valid UTF-8 at byte 1");
    refused(
        "tokenize corpus/train.jsonl bad.txt --tokenizer run/tokenizer.json -o "
        "tokens/train.tokens",
        1, "'bad.txt' is not valid UTF-8 at byte 1");
    refused(tokenize + "new.tokens", 1, "cannot write 'new.tokens'", {.largest_file = 5000});
    for (const std::string fault : {"full 3", "full 5", "read-only 4"}) {
        const Outcome outcome = smoe_program(tokenize + "new.tokens", {.fault = fault});
        CHECK(outcome.status == 1);
        CHECK(has(outcome.err, "cannot write 'new.tokens'"));
        CHECK(!file_exists(workshop() + "/new.tokens"));
    }
    for (int moment = 1; moment < 40; moment += 3) {
        const Outcome outcome = smoe_program(tokenize + "tokens/killed.tokens",
                                             {.fault = fmt::format("kill {}", moment)});
        if (outcome.status == 0) {
            CHECK(moment > 5);
            break;
        }
        const std::string path = workshop() + "/tokens/killed.tokens";
        CHECK((!file_exists(path) ||
               contents("tokens/killed.tokens") == contents("tokens/train.tokens")));
    }
    CHECK(contents("tokens/killed.tokens") == contents("tokens/train.tokens"));

    const std::string train = "train --run new --data ", flags = settings();
    const std::string bytes = contents("tokens/train.tokens");
    put("tokens/cut.tokens", bytes.substr(0, bytes.size() - 100));
    refused(train + "tokens/cut.tokens" + flags, 1, "'tokens/cut.tokens' is cut short");
    refused("eval run --data tokens/cut.tokens", 1, "'tokens/cut.tokens' is cut short");
    put("tokens/text.tokens", "A fox.\n");
    refused(train + "tokens/text.tokens" + flags, 1, "'tokens/text.tokens' is no token file");
    put("tokens/tokens.bin", bytes);
    refused(train + "tokens/tokens.bin" + flags, 1, "give it the ending .tokens");
    refused(train + "tokens/train.tokens corpus/train.jsonl" + flags, 1,
            "'corpus/train.jsonl' is text and 'tokens/train.tokens' holds tokens");
    refused(train + "tokens/train.tokens --entries 300" + flags, 2, "brings its own");
    refused(train + "tokens/train.tokens --pre-tokenizer none" + flags, 2, "brings its own");
    done("tokenizer train --data corpus/train.jsonl --entries 280 -o tokens/small.json");
    refused(train + "tokens/train.tokens --tokenizer tokens/small.json" + flags, 1,
            "'tokens/train.tokens' was made with another tokenizer");
    done("tokenize corpus/train.jsonl --tokenizer tokens/small.json -o tokens/small.tokens");
    refused(train + "tokens/train.tokens tokens/small.tokens" + flags, 1,
            "'tokens/small.tokens' was made with another tokenizer");
    refused("eval run --data tokens/small.tokens", 1,
            "'tokens/small.tokens' was made with another tokenizer");
}

TEST_CASE("tokenize: a pipe, and an interrupt on the way") {
    make_token_files();
    const std::string pipe = workshop() + "/tokens/pipe.jsonl";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    const std::vector<std::string> words = split(
        "tokenize tokens/pipe.jsonl --tokenizer run/tokenizer.json -o tokens/piped.tokens", ' ');
    for (const bool interrupt : {false, true}) {
        const pid_t program = start_program(words);
        std::ofstream out(pipe);
        if (interrupt) {
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            CHECK(::kill(program, SIGINT) == 0);
        }
        out << contents("corpus/train.jsonl");
        out.close();
        const Outcome outcome = wait_for_program(program);
        CHECK(outcome.status == (interrupt ? 130 : 0));
        CHECK(outcome.err == "");
        CHECK(has(outcome.out, interrupt ? "interrupted; nothing was written" : "60 stories"));
        CHECK(file_exists(workshop() + "/tokens/piped.tokens") == !interrupt);
        std::filesystem::remove(workshop() + "/tokens/piped.tokens");
        CHECK(!file_exists(workshop() + "/tokens/piped.tokens.smoe-tmp"));
    }
    std::filesystem::remove(pipe);
}

TEST_CASE("tokenize: a file that is cut short while a run reads it ends the run with a message") {
    make_token_files();
    put("tokens/mine.tokens", contents("tokens/train.tokens"));
    const pid_t program = start_program(
        split("train --run tokens/reading --data tokens/mine.tokens --steps 100000000 --log-every 1"
              " --width 16 --layers 1 --heads 2 --hidden 32 --context 40 --routing none"
              " --sample-every 0 --batch 2 --checkpoint-every 2",
              ' '));
    const std::string metrics_file = workshop() + "/tokens/reading/metrics.jsonl";
    for (int turn = 0; turn < 600 && !file_exists(metrics_file); ++turn) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    std::filesystem::resize_file(workshop() + "/tokens/mine.tokens", 1000);
    const Outcome outcome = wait_for_program(program);
    CHECK(outcome.status == 1);
    CHECK(has(outcome.err, "smoe: error: "));
    CHECK((has(unwrapped(outcome.err),
               "'tokens/mine.tokens' was written to while it was being read") ||
           has(outcome.err, "a file was cut short")));
    refused("train --resume --run tokens/reading", 1, "'tokens/mine.tokens' is cut short");
    put("tokens/mine.tokens", contents("tokens/train.tokens"));
    const int64_t step =
        nlohmann::json::parse(split(contents("tokens/reading/metrics.jsonl"), '\n').back())["step"];
    done(fmt::format("train --resume --run tokens/reading --steps {}", step + 2));
}

}  // namespace smoe
#endif
