// A run that goes on elsewhere, later, or not at all: where its text lies, how long it goes on,
// what its files say about it, and a second start in the same folder. The program is built in float
// only, so these cases belong to the float tests.
//
// Read next: killed_test.cpp, for runs that were stopped against their will.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/examples/workshop.h"

namespace smoe {
namespace {

nlohmann::json config_of(const std::string& run) {
    return nlohmann::json::parse(contents(run + "/config.json"));
}

std::string first_story(const std::string& file) {
    return nlohmann::json::parse(split(contents(file), '\n').at(0)).at("text");
}

double last_seconds(const std::string& run) {
    double seconds = -1;
    for (const std::string& line : split(contents(run + "/metrics.jsonl"), '\n')) {
        seconds = nlohmann::json::parse(line).value("seconds", seconds);
    }
    return seconds;
}

}  // namespace

TEST_CASE("resume: with the text in another place, and with no other text") {
    copy_run("run", "moved");
    put("elsewhere/train.jsonl", contents("corpus/train.jsonl"));
    put("elsewhere/valid.jsonl", contents("corpus/valid.jsonl"));
    done(
        "train --run moved --resume --steps 8 --data elsewhere/train.jsonl --valid "
        "elsewhere/valid.jsonl");
    copy_run("run", "stayed");
    done("train --run stayed --resume --steps 8");
    CHECK(contents("moved/model.safetensors") == contents("stayed/model.safetensors"));
    CHECK(config_of("moved")["data"]["data"][0] == "elsewhere/train.jsonl");
    put("elsewhere/valid.jsonl", contents("corpus/train.jsonl"));
    refused("train --run moved --resume --steps 9", 1, "the held-out text is not");
}

TEST_CASE("resume: of --steps and --minutes the one that is given says when to stop") {
    refused("train --run new --data corpus/train.jsonl --steps 5 --minutes 1", 2, "--minutes");
    for (const std::string minutes : {"inf", "-1"}) {
        refused("train --run new --data corpus/train.jsonl --minutes " + minutes, 1, "minutes");
    }
    copy_run("run", "timed");
    done("train --run timed --resume --minutes 0.002 --log-every 1");
    CHECK(config_of("timed")["training"]["minutes"] == 0.002);
    const double seconds = last_seconds("timed");
    CHECK(seconds > last_seconds("run"));  // those of the first part are in it
    const int64_t steps = nlohmann::json::parse(split(contents("timed/metrics.jsonl"), '\n').back())
                              .value("step", int64_t(0));
    CHECK(steps > 6);
    const std::string more = std::to_string(steps + 2);
    done("train --run timed --resume --steps " + more + " --log-every 1");
    CHECK(has(contents("timed/metrics.jsonl"), "{\"step\": " + more + ","));
    CHECK(!has(contents("timed/metrics.jsonl"), "{\"step\": " + std::to_string(steps + 3) + ","));
    CHECK(last_seconds("timed") > seconds);
    CHECK(has(done("train --run timed --resume").out, "so there is nothing to do"));
}

TEST_CASE("resume: a run whose rate falls to zero ends where it was to end") {
    const std::string falling = tiny_train() + "--optimizer adamw --schedule linear ";
    done(falling + "--run falling");
    refused("train --run falling --resume --steps 9", 1,
            "--steps was '6' when this run began and cannot become '9' on the way");
    refused("train --run falling --resume --minutes 1", 1, "needs a number of steps");
    const std::string out = done("train --run falling --resume").out;
    CHECK(has(out, "step 6 is reached, so there is nothing to do\n"));
    refused(tiny_train() + "--run new --schedule cosine", 1, "is for adamw and sgd");
    refused(tiny_train() + "--run new --schedule wavy", 2, "cosine");
}

TEST_CASE("resume: a beginning without a checkpoint may be begun anew, with other settings") {
    refused(tiny_train() + "--run none --width 15", 1, "width");
    CHECK(smoe_program(tiny_train() + "--run none --lr 1e30").status == 1);
    CHECK(!std::filesystem::exists(workshop() + "/none/state.safetensors"));
    std::filesystem::remove(workshop() + "/none/metrics.jsonl");
    done(tiny_train() + "--run none");
    CHECK(contents("none/model.safetensors") == contents("run/model.safetensors"));
    // Settings of another run, on other text.
    done(
        "train --run alike --config run/config.json --data corpus/valid.jsonl --valid "
        "corpus/train.jsonl");
    CHECK(config_of("alike")["data"]["valid_hash"] != config_of("run")["data"]["valid_hash"]);
}

TEST_CASE("resume: what a run says of itself is true of its weights") {
    // After a kill: lines about steps that are in no weights.
    copy_run("run", "ahead");
    put("ahead/metrics.jsonl",
        contents("run/metrics.jsonl") + R"({"step": 7, "tokens": 77777, "loss": 5.5})" + "\n" +
            R"({"step": 7, "valid_loss": 5.25, "valid_bits_per_byte": 2.5})" + "\n");
    done("export ahead --hf card");
    CHECK(has(contents("card/README.md"), "Taken: 6 steps"));
    CHECK(!has(contents("card/README.md"), "5.25"));

    // A tokenizer that is there brings its own settings.
    done(
        "tokenizer train --data corpus/train.jsonl -o plain.json --entries 280 --pre-tokenizer "
        "none");
    std::string settings = tiny_settings();
    settings.erase(settings.find(" --entries 300"), 14);
    done("train --run plain --data corpus/train.jsonl --tokenizer plain.json" + settings);
    CHECK(config_of("plain")["data"]["entries"] == 280);
    CHECK(config_of("plain")["data"]["pre_tokenizer"] == "none");
    refused("train --run new --data corpus/train.jsonl --tokenizer plain.json --entries 300", 2,
            "--entries");
}

TEST_CASE("resume: a share of the stories is held out to the last one") {
    std::string ten;
    for (int story = 0; story < 10; ++story) {
        ten += "{\"text\": \"A fox came by, and then " + std::to_string(story) + " more.\"}\n";
    }
    put("ten.jsonl", ten);
    const std::string train = "train --data ten.jsonl" + tiny_settings();
    CHECK(has(done(train + "--run tenth --valid-share 0.1").out, "held-out text: 1 stories"));
    CHECK(has(done(train + "--run third --valid-share 0.3").out, "held-out text: 3 stories"));
}

TEST_CASE("resume: a run whose held-out stories were chosen in another way is refused") {
    done("train --run chosen --data corpus/train.jsonl" + tiny_settings());
    nlohmann::ordered_json config = nlohmann::ordered_json::parse(contents("chosen/config.json"));
    config["data"]["valid_hash"] = "0123456789abcdef";
    put("chosen/config.json", config.dump());
    refused("train --run chosen --resume --steps 8", 1,
            "its --data has changed since, or another version of this program held out other");
    // No story at all is not the held-out text, either.
    put("one.jsonl", "{\"text\": \"A fox.\"}\n");
    refused("train --run chosen --resume --steps 8 --data one.jsonl", 1,
            "the held-out text is not");
}

TEST_CASE(
    "resume: text that says nothing of what is learned gets a warning, and training goes on") {
    const auto warning = [](const std::string& words) {
        const Outcome outcome = smoe_program("train" + words + tiny_settings() + "--steps 101");
        CHECK(outcome.status == 0);
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
        return outcome.err;
    };
    put("same/again.jsonl", contents("corpus/train.jsonl"));
    CHECK(
        warning(" --run same --data corpus/train.jsonl --valid same/again.jsonl") ==
        "smoe: warning: 60 of the 60 held-out stories are in the training text, too: the held-out "
        "loss says little of new text\n");
    put("known.txt", "A hen came by.\n<|endoftext|>\n" + first_story("corpus/train.jsonl"));
    CHECK(has(warning(" --run known --data corpus/train.jsonl --valid known.txt"),
              "warning: 1 of the 2 held-out stories"));
    put("one.txt", "A fox met a hen.\n");
    CHECK(warning(" --run heart --data one.txt") ==
          "smoe: warning: 101 steps see this training text 101 times, so it will be learned by "
          "heart: give more text, or train for less\n");
}

}  // namespace smoe
#endif
