// A close look at what the program gives when all is well: files as documented, and the same bytes
// for the same seeds, for any number of threads and however often a run was stopped. The program is
// built in float only, so these cases belong to the float tests.
//
// Read next: refusals_test.cpp.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "core/check.h"
#include "core/file.h"
#include "examples/smoe/flags.h"
#include "tests/examples/workshop.h"

namespace smoe {
namespace {

const std::string data = " --data corpus/train.jsonl --valid corpus/valid.jsonl ";

// The lines of a run's metrics: each valid JSON, reports and evaluations each with rising steps.
std::vector<nlohmann::json> sound_metrics(const std::string& run) {
    std::vector<nlohmann::json> lines;
    int64_t report = 0, evaluation = 0;
    const std::string text = contents(run + "/metrics.jsonl");
    CHECK(text.ends_with("\n"));
    for (const std::string& line : split(text, '\n')) {
        const auto object = nlohmann::json::parse(line, nullptr, false);
        INFO(line);
        REQUIRE(object.is_object());
        int64_t& last = object.contains("loss") ? report : evaluation;
        CHECK(object["step"].get<int64_t>() > last);
        CHECK(object[object.contains("loss") ? "loss" : "valid_loss"].is_number_float());
        last = object["step"].get<int64_t>();
        lines.push_back(object);
    }
    return lines;
}

// Until a run has so many lines of metrics, for ten seconds at most.
void wait_for_reports(const std::string& run, size_t count) {
    const std::string metrics = workshop() + "/" + run + "/metrics.jsonl";
    for (int i = 0; i < 2000; ++i) {
        if (file_exists(metrics) && split(read_file(metrics), '\n').size() >= count) {
            return;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    FAIL("no new report from " << run);
}

void check_same_weights(const std::string& a, const std::string& b) {
    INFO(a << " and " << b);
    for (const char* file : {"model", "router"}) {
        CHECK(contents(a + "/" + file + ".safetensors") ==
              contents(b + "/" + file + ".safetensors"));
    }
}

}  // namespace

TEST_CASE("runs: help of every command lists its options") {
    const std::vector<std::vector<std::string>> expected = {
        {"", "corpus", "tokenizer", "train", "eval", "generate", "serve", "report", "export",
         "verify", "study", "--threads"},
        {"corpus", "--out", "--stories", "--valid-stories", "--seed"},
        {"tokenizer", "train", "encode", "decode"},
        {"tokenizer train", "--data", "--out", "--entries", "--pre-tokenizer"},
        {"tokenizer encode", "tokenizer"},
        {"tokenizer decode", "tokenizer"},
        {"train", "--run", "--preset", "--config", "--resume"},
        {"eval", "--data", "--json"},
        {"generate", "--prompt", "--prompt-file", "--stdin", "--sampling", "--temperature",
         "--top-p", "--top-k", "--min-p", "--repetition-penalty", "--stop", "--samples",
         "--max-tokens", "--seed", "--show-experts", "--json"},
        {"serve", "runs", "--host", "--port", "--key", "--places", "--queue", "--grace"},
        {"report", "--compare", "--data", "--out"},
        {"export", "--hf"},
        {"verify", "files"},
        {"study", "plan", "--out", "--jobs", "--dry-run", "--table", "--retry"}};
    for (const auto& words : expected) {
        const Outcome help = done(words[0] + " --help");
        for (size_t i = 1; i < words.size(); ++i) {
            INFO(words[0] << " --help must list " << words[i]);
            CHECK(has(help.out, words[i]));
        }
    }
    const std::string train_help = unwrapped(done("train --help").out);
    Config config;
    visit_settings(config, [&](const Setting& setting, const auto&) {
        INFO(setting.name());
        CHECK(has(train_help, flag_of(setting)));
        CHECK(has(train_help, setting.group));
    });
    CHECK(has(train_help, "[tiny 128, tiny_original 128, small 256, paper 512]"));
    CHECK(has(done("--help-all").out, "--show-experts"));

    const Outcome nothing = smoe_program("");
    CHECK(nothing.status == 2);
    CHECK(has(nothing.out, "generate"));
}

TEST_CASE("runs: corpus") {
    CHECK(split(contents("corpus/train.jsonl"), '\n').size() == 60);
    CHECK(split(contents("corpus/valid.jsonl"), '\n').size() == 10);
    done("corpus -o again/below --stories 60 --valid-stories 10");
    CHECK(contents("again/below/train.jsonl") == contents("corpus/train.jsonl"));
    done("corpus -o more --stories 61 --valid-stories 10 --seed 1");
    CHECK(contents("more/train.jsonl").starts_with(contents("corpus/train.jsonl")));
    done("corpus -o other --stories 60 --valid-stories 10 --seed 2");
    CHECK(contents("other/train.jsonl") != contents("corpus/train.jsonl"));
}

TEST_CASE("runs: a run directory holds what it should, and its numbers add up") {
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(workshop() + "/run")) {
        files.insert(entry.path().filename().string());
    }
    CHECK(files == std::set<std::string>{"config.json", "tokenizer.json", "model.safetensors",
                                         "router.safetensors", "state.safetensors",
                                         "state.previous.safetensors", "metrics.jsonl"});
    std::vector<int64_t> reports, evaluations;
    for (const auto& line : sound_metrics("run")) {
        (line.contains("loss") ? reports : evaluations).push_back(line["step"].get<int64_t>());
        CHECK((!line.contains("loss") || line["tokens"].get<int64_t>() > 0));
    }
    CHECK(reports == std::vector<int64_t>{2, 4, 6});
    CHECK(evaluations == std::vector<int64_t>{3, 6});

    // What training printed last is what eval finds in the saved weights.
    const Outcome eval = done("eval run --data corpus/valid.jsonl");
    const double trained = sound_metrics("run").back()["valid_loss"].get<double>();
    CHECK(has(eval.out, fmt::format("{:.4f}", trained)));
    CHECK(has(eval.out, "share of each expert"));
    CHECK(has(done("eval run --data corpus/valid.jsonl corpus/train.jsonl").out, "70 stories"));

    // For other programs the same, in full.
    const auto json = nlohmann::json::parse(done("eval run --data corpus/valid.jsonl --json").out);
    CHECK(json["loss"].get<double>() == doctest::Approx(trained).epsilon(1e-6));
    CHECK(json["domains"].size() == 3);
    for (const char* key : {"tokens", "bytes"}) {
        int64_t sum = 0;
        for (const auto& domain : json["domains"]) {
            sum += domain[key].get<int64_t>();
        }
        CHECK(json[key] == sum);
    }
    int64_t labelled = 0;
    for (const auto& count : json["expert_tokens"]) {
        labelled += count.get<int64_t>();
    }
    CHECK(json["tokens"] == labelled);
}

TEST_CASE("runs: generate") {
    const std::string words = "generate run --prompt Once --max-tokens 12 ";
    for (const std::string kind : {"--sampling greedy", "--sampling multinomial --temperature 0.8",
                                   "--sampling nucleus --top-p 0.7", "--top-k 20"}) {
        const Outcome text = done(words + kind);
        CHECK(text.out.starts_with("Once"));
        CHECK(text.out.ends_with("\n"));
        CHECK(done(words + kind).out == text.out);
        CHECK((done(words + kind + " --seed 2").out == text.out) == (kind == "--sampling greedy"));
    }
    const std::string three = done(words + "--samples 3").out;
    CHECK(split(three, '\n').size() >= 5);
    CHECK(three.find("\n---\n") != three.rfind("\n---\n"));
    CHECK(three.find("Once") != three.rfind("Once"));
    // The first of several samples is the one that stands alone.
    const std::string one = done(words).out;
    CHECK(three.starts_with(one));

    const std::string shown = done(words + "--show-experts").out;
    CHECK(has(shown, "\x1b[38;5;"));
    CHECK(has(shown, "experts"));
    CHECK(done("generate run --max-tokens 1").out.ends_with("\n"));
    // Bytes that are no UTF-8 are shown as the replacement character.
    const Outcome bytes = smoe_program({"generate", "run", "--prompt", "a\xFF\xFE"});
    CHECK(bytes.status == 0);
    CHECK(bytes.out.starts_with("a\xEF\xBF\xBD\xEF\xBF\xBD"));
}

TEST_CASE("runs: tokenizer, there and back") {
    done("tokenizer train --data corpus/train.jsonl --entries 300 -o own.json");
    CHECK(contents("own.json") == contents("run/tokenizer.json"));
    for (const std::string& text :
         {std::string("Once upon a time,\n  there was  a fox.\n\n"), std::string(),
          std::string("\xFF\xFE caf\xC3\xA9 \xE2\x82"), std::string("a\0b", 3)}) {
        const Outcome ids = done("tokenizer encode own.json", {.input = text});
        CHECK(ids.out.ends_with("\n"));
        CHECK(done("tokenizer decode own.json", {.input = ids.out}).out == text);
    }
    done(
        "tokenizer train --data corpus/train.jsonl --entries 280 --pre-tokenizer none -o "
        "none.json");
    std::string settings = tiny_settings();
    settings.erase(settings.find(" --entries 300"), 14);
    done("train --run given" + data + settings + "--tokenizer none.json");
    CHECK(contents("given/tokenizer.json") == contents("none.json"));
}

TEST_CASE("runs: a resumed run equals one that was never stopped, for any number of threads") {
    const std::string train = "train" + data + tiny_settings();
    done(train + "--run whole --steps 8 --threads 1");
    done(train + "--run wide --steps 8 --threads 2");
    check_same_weights("whole", "wide");
    // The router is frozen after step 3: before it, at it, and behind it.
    for (const std::string first : {"2", "3", "5"}) {
        const std::string run = "part" + first;
        done(train + "--run " + run + " --steps " + first);
        const Outcome rest = done("train --run " + run + " --resume --steps 8 --log-every 1");
        CHECK(has(rest.out, "going on from step " + first));
        check_same_weights("whole", run);
        CHECK(sound_metrics(run).back()["step"] == 8);
    }
    CHECK(has(contents("part2/config.json"), "\"steps\": 8"));
}

TEST_CASE("runs: resuming mends what a kill left behind") {
    // Lines of steps that will be taken again, and one that was cut short.
    copy_run("run", "killed");
    put("killed/metrics.jsonl", contents("run/metrics.jsonl") + R"({"step": 7, "loss": 5.5})" +
                                    "\n" + R"({"step": "x", "loss": 5.5})" + "\n" +
                                    R"({"step": 8, "lo)");
    done("train --run killed --resume --steps 8");
    CHECK(sound_metrics("killed").back()["step"] == 8);

    // Killed after the state was written, before the weights were.
    copy_run("run", "stale");
    put("stale/model.safetensors", contents("killed/model.safetensors"));
    std::filesystem::remove(workshop() + "/stale/router.safetensors");
    done("train --run stale --resume");
    check_same_weights("run", "stale");

    // Killed before the state got its final name, which is the one that the message gives.
    copy_run("run", "unnamed");
    std::filesystem::rename(workshop() + "/unnamed/state.safetensors",
                            workshop() + "/unnamed/state.next.safetensors");
    CHECK(has(done("train --run unnamed --resume --steps 8").out,
              "going on from step 6, as saved in unnamed/state.safetensors\n"));
    check_same_weights("killed", "unnamed");

    // Killed before the first checkpoint: it begins again.
    copy_run("run", "early");
    for (const char* file : {"state", "state.previous", "model", "router"}) {
        std::filesystem::remove(workshop() + "/early/" + file + ".safetensors");
    }
    done("train --run early --resume");
    check_same_weights("run", "early");
    CHECK(sound_metrics("early").size() == sound_metrics("run").size());
}

TEST_CASE("runs: an interrupt saves, and the run can go on") {
    const std::string train = "train" + data + tiny_settings() + "--log-every 1 --eval-every 0 ";
    const pid_t program =
        start_program(split(train + "--run stopped --steps 100000000 --checkpoint-every 0", ' '));
    wait_for_reports("stopped", 1);
    CHECK(::kill(program, SIGINT) == 0);
    const Outcome outcome = wait_for_program(program);
    CHECK(outcome.status == 130);
    CHECK(!has(outcome.err, "error"));  // so many steps get a warning
    CHECK(has(outcome.out, "smoe train --run stopped --resume"));
    done("eval stopped --data corpus/valid.jsonl");

    // A request to end, a terminal that is closed, a pipe whose reader has gone.
    size_t lines = sound_metrics("stopped").size();
    for (const int signal : {SIGTERM, SIGHUP, SIGPIPE}) {
        const pid_t again =
            start_program(split("train --run stopped --resume --steps 100000000", ' '));
        wait_for_reports("stopped", ++lines);
        CHECK(::kill(again, signal) == 0);
        CHECK(wait_for_program(again).status == 130);
        lines = sound_metrics("stopped").size();
    }
    const int64_t steps = sound_metrics("stopped").back()["step"].get<int64_t>() + 2;
    done(fmt::format("train --run stopped --resume --steps {}", steps));
    done(fmt::format("{} --run unstopped --steps {}", train, steps));
    check_same_weights("stopped", "unstopped");
}

TEST_CASE("runs: a state alone is enough to go on") {
    copy_run("run", "bare-state");
    put("bare-state/model.safetensors", "damaged");
    put("bare-state/router.safetensors", contents("run/model.safetensors"));
    done("train --run bare-state --resume --steps 6");
    check_same_weights("run", "bare-state");
}

TEST_CASE("runs: a run is trained by one process at a time") {
    copy_run("run", "busy");
    const pid_t program =
        start_program(split("train --run busy --resume --log-every 1 --steps 100000000", ' '));
    wait_for_reports("busy", sound_metrics("run").size() + 1);
    const std::string config = contents("busy/config.json");
    const Outcome second = smoe_program("train --run busy --resume --steps 9");
    CHECK(second.status == 1);
    CHECK(has(second.err, "another process is writing to 'busy'"));
    CHECK(contents("busy/config.json") == config);
    CHECK(::kill(program, SIGKILL) == 0);
    CHECK(wait_for_program(program).status == 128 + SIGKILL);
    done("eval busy --data corpus/valid.jsonl");
    done("train --run busy --resume --steps 9");
}

TEST_CASE("runs: settings from a file, and stories of every kind") {
    put("settings.json", R"({"model": {"width": 24}, "training": {"steps": 2}})");
    done("train --run configured" + data +
         "--config settings.json --layers 1 --context 40 --entries "
         "300 --batch 2 --router-width 8 --router-layers 1");
    CHECK(has(contents("configured/config.json"), "\"width\": 24"));
    CHECK(has(contents("configured/config.json"), "\"steps\": 2"));

    put("stories.txt", "A fox.\n<|endoftext|>\nA hen.\n<|endoftext|>\nA dog.\n");
    put("stories.csv", "domain,text\nfable,\"A fox, and\na hen.\"\nfable,A dog.\n");
    const std::string words = "train --entries 256" + tiny_settings() + "--entries 256 --steps 1 ";
    CHECK(has(done(words + "--run txt --data stories.txt").out, "3 stories"));
    CHECK(has(done(words + "--run csv --data stories.csv").out, "2 stories"));
    put("stories.tsv", "domain\ttext\nfable\tA fox, and a hen.\nfable\tA dog.\n");
    CHECK(has(done(words + "--run tsv --data stories.tsv").out, "2 stories, 23 B"));
    // Longer than the context: used up to there, and the summary says so.
    put("long.txt", "A fox.\n<|endoftext|>\n" + std::string(100, 'x') + "\n");
    CHECK(has(done(words + "--run long --data long.txt").out, "1 cut to 39 tokens"));
    CHECK(has(done(words + "--run split --data long.txt --long split").out, "split"));
    CHECK(has(done(words + "--run drop --data long.txt --long drop").out, "1 dropped"));
}

}  // namespace smoe
#endif
