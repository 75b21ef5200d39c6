// What people pass on, an exported model and the pages of reports, names files only. It says
// nothing about the folders that hold its texts and runs. The program is built in float only, so
// these cases belong to the float tests.
//
// Read next: report_test.cpp.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "core/file.h"
#include "core/safetensors.h"
#include "tests/examples/workshop.h"

namespace smoe {
namespace {

const std::string corpus_text = " --data corpus/train.jsonl --valid corpus/valid.jsonl ";
constexpr const char* secret = "private_place";

// Fails if a file, or a file in a folder, names one of the folders of this machine.
void check_names_no_folder(const std::string& name) {
    const std::string path = workshop() + "/" + name;
    std::vector<std::filesystem::path> files = {path};
    if (std::filesystem::is_directory(path)) {
        files.assign(std::filesystem::directory_iterator(path), {});
    }
    REQUIRE(!files.empty());
    for (const std::filesystem::path& file : files) {
        INFO(file.string());
        const std::string bytes = read_file(file.string());
        CHECK(!has(bytes, secret));
        CHECK(!has(bytes, workshop()));
        CHECK(!has(bytes, std::filesystem::path(workshop()).filename().string()));
    }
}

// The settings of the workshop, without those that a tokenizer brings with it.
std::string settings_without_entries() {
    const std::string entries = "--entries 300 ";
    std::string settings = tiny_settings();
    return settings.erase(settings.find(entries), entries.size());
}

// Fails unless model.safetensors has the weights of the workshop's run and its router.
void check_exported_weights(const std::string& folder) {
    std::map<std::string, Tensor> exported =
        read_safetensors(workshop() + "/" + folder + "/model.safetensors").tensors;
    for (const auto& [file, prefix] :
         {std::pair{"run/model.safetensors", ""}, {"run/router.safetensors", "router."}}) {
        for (const auto& entry : read_safetensors(workshop() + "/" + file).tensors) {
            const auto& [name, tensor] = entry;
            CAPTURE(entry.first);
            REQUIRE(exported.contains(prefix + name));
            CHECK(std::ranges::equal(exported.at(prefix + name).values(), tensor.values()));
            exported.erase(prefix + name);
        }
    }
    CHECK(exported.empty());
}

}  // namespace

TEST_CASE("published: an export has what other tools look for") {
    const Outcome outcome = done("export run --hf hub/deep");
    CHECK(has(outcome.out, "9 files"));
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(workshop() + "/hub/deep")) {
        files.insert(entry.path().filename().string());
    }
    CHECK(files == std::set<std::string>{"README.md", "config.json", "configuration_smoe.py",
                                         "generation_config.json", "model.safetensors",
                                         "modeling_smoe.py", "special_tokens_map.json",
                                         "tokenizer.json", "tokenizer_config.json"});
    check_exported_weights("hub/deep");
    const auto json = [](const std::string& file) {
        return nlohmann::json::parse(contents("hub/deep/" + file + ".json"));
    };
    const int64_t end = json("config")["vocab_size"].get<int64_t>() - 1;
    for (const std::string role : {"bos_token", "eos_token", "pad_token"}) {
        CHECK(json("config")[role + "_id"] == end);
        CHECK(json("generation_config")[role + "_id"] == end);
        CHECK(json("special_tokens_map")[role] == "<|endoftext|>");
        CHECK(json("tokenizer_config")[role] == "<|endoftext|>");
    }
    CHECK(json("tokenizer_config")["added_tokens_decoder"][std::to_string(end)]["content"] ==
          "<|endoftext|>");
    CHECK(json("generation_config")["max_length"] == 40);

    const std::string card = contents("hub/deep/README.md");
    CHECK(card.starts_with("---\n"));
    const double trained =
        nlohmann::json::parse(split(contents("run/metrics.jsonl"), '\n').back())["valid_loss"];
    for (const std::string& part :
         {std::string("\n# license: "), std::string("\"train.jsonl\""),
          std::string("\"valid.jsonl\""), std::string("| `--batch` | 4 |"),
          std::string("| `--router-steps` | 3 |"), std::string("Taken: 6 steps, "),
          fmt::format("a loss of {:.4f} nats", trained)}) {
        INFO(part);
        CHECK(has(card, part));
    }
    // The folder is a run directory, too, but for what resuming needs.
    CHECK(done("eval hub/deep --data corpus/valid.jsonl").out ==
          done("eval run --data corpus/valid.jsonl").out);

    // An empty folder will do; a dense run without metrics has less to tell.
    done("train --run dense --routing none --data corpus/train.jsonl" + tiny_settings());
    std::filesystem::remove(workshop() + "/dense/metrics.jsonl");
    std::filesystem::create_directory(workshop() + "/empty");
    CHECK(has(done("export dense --hf empty").out, "9 files"));
    const std::string dense = contents("empty/README.md");
    CHECK(has(dense, "It is dense"));
    CHECK(!has(dense, "--router-steps"));
    CHECK(has(dense, "Held out: 5 % of the stories"));
    CHECK(has(dense, "no held-out evaluation"));
    CHECK(has(dense, "not recorded"));

    // What the Python cannot run is said, in the folder, too.
    done("train --run labelled --routing domain" + corpus_text + tiny_settings());
    const std::string said = done("export labelled --hf unrunnable").out;
    CHECK(
        has(said, "without Python for transformers, since the router 'domain' is not part of it"));
    CHECK(has(said, "7 files"));
    CHECK(has(contents("unrunnable/README.md"), "`transformers` cannot run it: the router"));
    CHECK(!has(contents("unrunnable/config.json"), "auto_map"));
    CHECK(has(contents("hub/deep/config.json"), "modeling_smoe.SmoeForCausalLM"));
    CHECK(has(contents("hub/deep/tokenizer.json"), "TemplateProcessing"));
    CHECK(done("tokenizer encode hub/deep/tokenizer.json", {.input = "Once"}).out ==
          done("tokenizer encode run/tokenizer.json", {.input = "Once"}).out);
}

TEST_CASE("published: an export and the pages of reports name no folder") {
    const std::string place = workshop() + "/" + secret + "/";
    for (const std::string file : {"train.jsonl", "valid.jsonl"}) {
        put(std::string(secret) + "/" + file, contents("corpus/" + file));
    }
    put(std::string(secret) + "/words.json", contents("run/tokenizer.json"));
    const std::string run = place + "runs/first";
    REQUIRE(smoe_program("train --run " + run + " --data " + place + "train.jsonl --valid " +
                         place + "valid.jsonl --tokenizer " + place + "words.json" +
                         settings_without_entries())
                .status == 0);

    done("export " + run + " --hf published");
    check_names_no_folder("published");
    for (const std::string file : {"config.json", "README.md"}) {
        CHECK(has(contents("published/" + file), "\"train.jsonl\""));
        CHECK(has(contents("published/" + file), "\"valid.jsonl\""));
    }
    CHECK(has(contents("published/config.json"), "\"words.json\""));

    done("report " + run + " -o mailed.html");
    check_names_no_folder("mailed.html");
    CHECK(has(contents("mailed.html"), "<title>first</title>"));
    CHECK(has(contents("mailed.html"), R"("data.data":"train.jsonl")"));
    done("report " + run + "/. --data " + place + "valid.jsonl -o mailed.html");
    check_names_no_folder("mailed.html");
    CHECK(has(contents("mailed.html"), R"("source":"valid.jsonl")"));
    done("report --compare " + run + " run " + place + "../run -o mailed.html");
    check_names_no_folder("mailed.html");
    CHECK(has(contents("mailed.html"), R"~("name":"run (2)")~"));

    // Without the text the message of the error would name it.
    std::filesystem::remove(place + "valid.jsonl");
    done("report " + run + " -o mailed.html");
    check_names_no_folder("mailed.html");
    CHECK(has(contents("mailed.html"), "valid.jsonl cannot be read, so the model wrote these"));
}

TEST_CASE("published: an export is read wherever a run is") {
    done("export run --hf model");
    CHECK(done("eval model --data corpus/valid.jsonl").out ==
          done("eval run --data corpus/valid.jsonl").out);
    CHECK(done("generate model --seed 3").out == done("generate run --seed 3").out);
    done("report model --data corpus/valid.jsonl -o model.html");
    done("export model --hf again");
    for (const std::string file : {"config.json", "model.safetensors", "tokenizer.json"}) {
        CHECK(contents("again/" + file) == contents("model/" + file));
    }
    done(
        "train --run like_it --config model/config.json --data corpus/train.jsonl "
        "--valid corpus/valid.jsonl");
    CHECK(contents("like_it/model.safetensors") == contents("run/model.safetensors"));
}

TEST_CASE("published: in bfloat16 an export takes half the room and is read the same way") {
    done("export run --hf whole_export");
    done("export run --hf halves --dtype bfloat16");
    const auto config = nlohmann::json::parse(contents("halves/config.json"));
    CHECK(config["torch_dtype"] == "bfloat16");
    const double share = double(contents("halves/model.safetensors").size()) /
                         double(contents("whole_export/model.safetensors").size());
    CHECK(share > 0.5);  // by the header
    CHECK(share < 0.55);
    const auto loss = [](const std::string& folder) {
        const auto result =
            nlohmann::json::parse(done("eval " + folder + " --data corpus/valid.jsonl --json").out);
        return result["loss"].get<double>();
    };
    CHECK(loss("halves") != loss("whole_export"));
    CHECK(std::abs(loss("halves") - loss("whole_export")) < 0.01);
    done("generate halves --seed 3");
    done("export halves --hf halves_again --dtype bfloat16");
    CHECK(contents("halves_again/model.safetensors") == contents("halves/model.safetensors"));
    refused("export run --hf new --dtype float16", 2, "float32");
    CHECK(!file_exists(workshop() + "/new"));
}

}  // namespace smoe
#endif
