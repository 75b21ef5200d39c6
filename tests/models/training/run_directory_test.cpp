// A run on disk: written, read back, and refused if its parts do not belong together. States are
// damaged one by one until none is whole.
// Read next: tests/examples/killed_test.cpp, where it is cut short at every moment.
#include "models/training/run_directory.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/file.h"
#include "tests/models/small_run.h"

namespace smoe {
namespace {

struct Fixture {
    Fixture() : data(small_config()) {
        data.config.model.vocab_size = data.tokenizer.vocab_size();
        data.config.tokenizer_hash = fmt::format("{:016x}", data.tokenizer.hash());
    }
    void create() const { run.create(data.config, data.tokenizer); }

    TemporaryFolder folder{"run-directory"};
    SmallRun data;
    RunDirectory run{folder.path + "/deep/run"};
};

}  // namespace

TEST_CASE("run directory: what is created can be read back") {
    const Fixture f;
    CHECK_THROWS_WITH_AS(f.run.config(), doctest::Contains("is not a run directory"), Error);
    f.create();
    CHECK(to_json(f.run.config()) == to_json(f.data.config));
    CHECK(f.run.tokenizer(f.data.config).hash() == f.data.tokenizer.hash());
    CHECK(!f.run.has_state());
    CHECK_THROWS_WITH_AS(f.run.load(f.data.config), doctest::Contains("no trained model yet"),
                         Error);

    Config changed = f.data.config;
    changed.steps = 77;
    f.run.write_config(changed);
    CHECK(f.run.config().steps == 77);
    f.create();  // it came to no checkpoint, so nothing is lost
    CHECK(f.run.config().steps == f.data.config.steps);
}

TEST_CASE("run directory: nothing is left of a run that could not be created") {
    const Fixture f;
    write_file(f.folder.path + "/file", "");
    const RunDirectory below(f.folder.path + "/file/run");
    CHECK_THROWS_AS(below.create(f.data.config, f.data.tokenizer), Error);
    CHECK_THROWS_AS(RunDirectory("").create(f.data.config, f.data.tokenizer), Error);

    // A state without its settings is somebody's run all the same.
    make_folder(f.run.path());
    write_file(f.run.file("state.safetensors"), "");
    CHECK_THROWS_WITH_AS(f.create(), doctest::Contains("already holds a run"), Error);
    CHECK(!file_exists(f.run.file("tokenizer.json")));
    std::filesystem::remove(f.run.file("state.safetensors"));

    // A folder in the way of a file: the new folder goes again, one that was there stays.
    make_folder(f.run.file("tokenizer.json") + "/x");
    CHECK_THROWS_AS(f.create(), Error);
    CHECK(file_exists(f.run.path()));
    CHECK(!file_exists(f.run.file("config.json")));
}

TEST_CASE("run directory: weights come back as they were, in evaluation mode") {
    const Fixture f;
    f.create();
    SingleMoe moe(f.data.config.model, f.data.config.seed);
    CHECK_THROWS_AS(f.run.weights_step(), Error);
    f.run.write_model(moe.model.state_dict(), 7);
    CHECK(f.run.weights_step() == 7);
    CHECK_THROWS_WITH_AS(f.run.load(f.data.config), doctest::Contains("router.safetensors"), Error);
    f.run.write_router(moe.router->state_dict(), 7);
    const std::unique_ptr<SingleMoe> loaded = f.run.load(f.data.config);
    CHECK(!loaded->model.training());
    CHECK(!loaded->router->module()->training());
    const auto before = moe.model.state_dict(), after = loaded->model.state_dict();
    REQUIRE(before.size() == after.size());
    for (const auto& [name, tensor] : before) {
        const auto a = tensor.values(), b = after.at(name).values();
        CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    }

    write_safetensors(f.run.file("model.safetensors"), {moe.router->state_dict(), {}});
    CHECK(f.run.weights_step() == INT64_MAX);
    CHECK_THROWS_WITH_AS(f.run.load(f.data.config), doctest::Contains("model.safetensors"), Error);
    write_file(f.run.file("model.safetensors"), "no tensors");
    CHECK_THROWS_WITH_AS(f.run.load(f.data.config), doctest::Contains("model.safetensors"), Error);
}

TEST_CASE("run directory: the last two states are kept, and the newest whole one is read") {
    const Fixture f;
    f.create();
    const auto numbered = [](real number) {
        return TensorFile{{{"number", Tensor::full({1}, number)}}, {}};
    };
    const auto found = [&] { return f.run.state().tensors.at("number").item(); };
    CHECK_THROWS_WITH_AS(f.run.state(), doctest::Contains("holds no checkpoint"), Error);
    f.run.write_state(numbered(1));
    CHECK(found() == 1);
    CHECK(!file_exists(f.run.file("state.previous.safetensors")));
    f.run.write_state(numbered(2));
    f.run.write_state(numbered(3));
    CHECK(found() == 3);
    CHECK(f.run.state().origin == f.run.file("state.safetensors"));

    // Cut short before the first renaming, and between the two.
    write_safetensors(f.run.file("state.next.safetensors"), numbered(4));
    CHECK(found() == 4);
    rename_file(f.run.file("state.safetensors"), f.run.file("state.previous.safetensors"));
    CHECK(found() == 4);
    f.run.finish_writing_state();
    CHECK(f.run.state().origin == f.run.file("state.safetensors"));
    CHECK(found() == 4);
    f.run.finish_writing_state();  // nothing is left to do
    CHECK(found() == 4);
    f.run.write_state(numbered(5));
    CHECK(found() == 5);
    CHECK(!file_exists(f.run.file("state.next.safetensors")));

    f.run.write_state(numbered(6));
    write_file(f.run.file("state.safetensors"), "damaged");
    CHECK(found() == 5);
    f.run.write_state(numbered(7));  // in the place of the damaged one
    CHECK(found() == 7);
    for (const char* name : {"state.safetensors", "state.previous.safetensors"}) {
        write_file(f.run.file(name), "damaged");
    }
    CHECK_THROWS_WITH_AS(f.run.state(), doctest::Contains("state.safetensors"), Error);
    std::filesystem::remove(f.run.file("state.safetensors"));
    CHECK(f.run.has_state());  // somebody's run all the same
}

TEST_CASE("run directory: the tokenizer must be the one of the weights") {
    const Fixture f;
    f.create();
    const Tokenizer other = small_tokenizer(small_stories(3));
    REQUIRE(other.hash() != f.data.tokenizer.hash());
    write_file(f.run.file("tokenizer.json"), other.to_json());
    CHECK_THROWS_WITH_AS(f.run.tokenizer(f.data.config), doctest::Contains("its hash is"), Error);
    write_file(f.run.file("tokenizer.json"), "{}");
    CHECK_THROWS_WITH_AS(f.run.tokenizer(f.data.config), doctest::Contains("tokenizer.json"),
                         Error);
}

TEST_CASE("run directory: metrics are cut to the step that was saved") {
    const Fixture f;
    f.create();
    CHECK_NOTHROW(f.run.cut_metrics(3));
    CHECK(f.run.metrics().empty());
    CHECK(!file_exists(f.run.file("metrics.jsonl")));
    const std::vector<std::string> lines = {R"({"step": 1, "loss": 2.5})",
                                            R"({"step": 3, "loss": 2})",
                                            R"({"step": 3, "valid_loss": 2})"};
    for (const std::string& line : lines) {
        f.run.append_metrics(line);
    }
    const auto objects = [](const std::vector<std::string>& texts) {
        std::vector<nlohmann::ordered_json> parsed;
        for (const std::string& text : texts) {
            parsed.push_back(nlohmann::ordered_json::parse(text));
        }
        return parsed;
    };
    CHECK(f.run.metrics() == objects(lines));
    // Copies of such a thing would exhaust the stack.
    const std::string deep =
        "{\"step\": 2, \"deep\": " + std::string(300000, '[') + std::string(300000, ']') + "}";
    const std::string kept = read_file(f.run.file("metrics.jsonl"));
    CHECK(kept == lines[0] + "\n" + lines[1] + "\n" + lines[2] + "\n");
    for (const char* damage :
         {R"({"step": 4, "loss": 2})", R"({"step": "1"})", R"({"step": null})", R"({"step": 1.5})",
          R"({"step": 99999999999999999999999})", R"({"loss": 2})", deep.c_str(), "[1]", "1", "",
          "\xFF", R"({"step": 2, "loss": 1, "loss": 2})", R"({"step": 2, "lo)"}) {
        f.run.append_metrics(damage);
    }
    CHECK(f.run.metrics() == objects({lines[0], lines[1], lines[2], R"({"step": 4, "loss": 2})"}));
    f.run.cut_metrics(3);
    CHECK(read_file(f.run.file("metrics.jsonl")) == kept);
    f.run.cut_metrics(2);
    CHECK(read_file(f.run.file("metrics.jsonl")) == lines[0] + "\n");
    f.run.cut_metrics(0);
    CHECK(read_file(f.run.file("metrics.jsonl")).empty());

    std::filesystem::remove(f.run.file("metrics.jsonl"));
    make_folder(f.run.file("metrics.jsonl"));
    CHECK_THROWS_WITH_AS(f.run.append_metrics("{}"), doctest::Contains("metrics.jsonl"), Error);
}

}  // namespace smoe
