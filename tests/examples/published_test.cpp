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

#include "core/file.h"
#include "tests/examples/workshop.h"

namespace smoe {
namespace {

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

}  // namespace

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
