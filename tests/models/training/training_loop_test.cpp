// The loop from inside: when it stops, what it leaves, and curves of metrics that were damaged. A
// checkpoint that cannot be written must leave the last one as it was.
// Read next: tests/examples/runs_test.cpp, the same from outside.
#include "models/training/training_loop.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/file.h"
#include "tests/models/small_run.h"

namespace smoe {
namespace {

// Sends standard output nowhere while it lives.
class Silence {
  public:
    Silence() {
        std::fflush(stdout);
        const int nowhere = ::open("/dev/null", O_WRONLY);
        ::dup2(nowhere, 1);
        ::close(nowhere);
    }
    ~Silence() {
        std::fflush(stdout);
        ::dup2(saved_, 1);
        ::close(saved_);
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

  private:
    int saved_ = ::dup(1);
};

struct Fixture {
    Fixture() : data(small_config()) {
        config = data.config;
        config.model.vocab_size = data.tokenizer.vocab_size();
        config.tokenizer_hash = fmt::format("{:016x}", data.tokenizer.hash());
        config.steps = 5;
        config.log_every = 2;
        config.eval_every = 0;
        config.sample_every = 3;
        config.checkpoint_every = 2;
        run.create(config, data.tokenizer);
    }
    StopReason go(
        const Dataset* valid = nullptr,
        const std::function<bool()>& interrupted = [] { return false; }) const {
        const Silence silence;
        return run_training(run, config, data.tokenizer, data.data, valid, interrupted);
    }
    std::string saved_step() const { return run.state().metadata.at("steps"); }

    TemporaryFolder folder{"training-loop"};
    SmallRun data;
    Config config;
    RunDirectory run{folder.path + "/run"};
};

}  // namespace

TEST_CASE("training loop: ends at its steps with a checkpoint, and has nothing more to do") {
    const Fixture f;
    CHECK(f.go(&f.data.data) == StopReason::finished);
    CHECK(f.saved_step() == "5");
    const std::string metrics = read_file(f.run.file("metrics.jsonl"));
    CHECK(metrics.find(R"({"step": 5, "valid_loss": )") != metrics.npos);
    const std::string model = read_file(f.run.file("model.safetensors"));
    CHECK(f.go(&f.data.data) == StopReason::nothing_to_do);
    CHECK(read_file(f.run.file("model.safetensors")) == model);
    CHECK(read_file(f.run.file("metrics.jsonl")) == metrics);
    CHECK(loss_curve(f.run, 20, 5).find('*') != std::string::npos);
}

TEST_CASE("training loop: metrics say what each domain loses, and what has been computed so far") {
    Fixture f;
    f.config.log_every = 1;
    const auto multiply_adds = [&] {
        std::vector<double> found;
        for (const auto& line : f.run.metrics()) {
            if (line.contains("multiply_adds")) {
                found.push_back(line["multiply_adds"].get<double>());
            }
        }
        return found;
    };
    int asked = 0;
    REQUIRE(f.go(nullptr, [&] { return ++asked == 3; }) == StopReason::interrupted);
    REQUIRE(f.go() == StopReason::finished);
    const std::vector<double> stopped = multiply_adds();
    for (const char* file : {"state.safetensors", "state.previous.safetensors", "metrics.jsonl"}) {
        std::filesystem::remove(f.run.file(file));
    }
    REQUIRE(f.go(&f.data.data) == StopReason::finished);
    const std::vector<double> whole = multiply_adds();
    CHECK(whole.size() == 5);
    CHECK(whole[0] > 0);
    CHECK(std::is_sorted(whole.begin(), whole.end()));
    CHECK(stopped == whole);

    const nlohmann::ordered_json last = f.run.metrics().back(), domains = last["valid_domains"];
    CHECK(domains.size() == 3);
    double least = 100, most = 0;
    for (const auto& [name, domain] : domains.items()) {
        CHECK(domain["bits_per_byte"].get<double>() > 0);
        least = std::min(least, domain["loss"].get<double>());
        most = std::max(most, domain["loss"].get<double>());
    }
    CHECK(least < last["valid_loss"].get<double>());
    CHECK(last["valid_loss"].get<double>() < most);
}

TEST_CASE("training loop: metrics of a single domain do not say it twice") {
    Fixture f;
    for (Story& story : f.data.stories) {
        story.domain = "one";
    }
    const Dataset alike(f.data.stories, f.data.tokenizer, dataset_settings(f.config));
    REQUIRE(f.go(&alike) == StopReason::finished);
    CHECK(f.run.metrics().back().contains("valid_loss"));
    CHECK(!f.run.metrics().back().contains("valid_domains"));
}

TEST_CASE("training loop: an interrupt is heeded after the step, and saved") {
    Fixture f;
    int asked = 0;
    CHECK(f.go(nullptr, [&] { return ++asked == 3; }) == StopReason::interrupted);
    CHECK(f.saved_step() == "3");
    CHECK(f.go() == StopReason::finished);
    CHECK(f.saved_step() == "5");

    f.config.minutes = 1e-9;  // time that is over after one step
    f.config.steps = 1000000;
    std::filesystem::remove(f.run.file("state.safetensors"));
    CHECK(f.go() == StopReason::finished);
}

TEST_CASE("training loop: an interrupt in the last step leaves nothing undone") {
    const Fixture f;
    int asked = 0;
    CHECK(f.go(&f.data.data, [&] { return ++asked >= 5; }) == StopReason::finished);
    CHECK(read_file(f.run.file("metrics.jsonl")).find(R"({"step": 5, "valid_loss": )") !=
          std::string::npos);
}

TEST_CASE("training loop: time that runs out during an evaluation does not cost the checkpoint") {
    Fixture f;
    f.config.minutes = 0.003;
    f.config.batch = 1;
    f.config.log_every = f.config.eval_every = 1;  // most of the time
    f.config.sample_every = f.config.checkpoint_every = 0;
    const auto step_of_last_line = [&] {
        const std::string metrics = read_file(f.run.file("metrics.jsonl"));
        const std::string line = metrics.substr(metrics.rfind('\n', metrics.size() - 2) + 1);
        return line.substr(9, line.find(',') - 9);  // {"step": 12, ...
    };
    for (int session = 0; session < 3; ++session) {
        CHECK(f.go(&f.data.data) == StopReason::finished);
        CHECK(f.saved_step() == step_of_last_line());
    }
}

TEST_CASE("training loop: what cannot be written ends it, and the last checkpoint stays") {
    Fixture f;
    REQUIRE(f.go() == StopReason::finished);
    const std::string state = read_file(f.run.file("state.safetensors"));
    f.config.steps = 9;
    make_folder(
        f.run.file("state.next.safetensors.smoe-tmp"));  // in the way of the next checkpoint
    CHECK_THROWS_WITH_AS(f.go(), doctest::Contains("state.next.safetensors"), Error);
    CHECK(read_file(f.run.file("state.safetensors")) == state);
    std::filesystem::remove(f.run.file("state.next.safetensors.smoe-tmp"));
    CHECK(f.go() == StopReason::finished);
    CHECK(f.saved_step() == "9");
}

TEST_CASE("training loop: a state that does not belong is refused") {
    Fixture f;
    REQUIRE(f.go() == StopReason::finished);
    const TensorFile state = f.run.state();
    for (const char* key : {"steps", "tokens", "epoch", "batch", "model.optimizer.steps"}) {
        for (const char* value : {"", "x", "-1", "1.5", "nan", "1e300", "99999999999999999999"}) {
            CAPTURE(key);
            CAPTURE(value);
            TensorFile wrong = state;
            wrong.metadata[key] = value;
            f.run.write_state(wrong);
            CHECK_THROWS_WITH_AS(f.go(), doctest::Contains("state.safetensors"), Error);
        }
    }
    for (const char* value : {"", "1 2", "x y z", "-1 0 0", "1 0 -5"}) {
        CAPTURE(value);
        TensorFile wrong = state;
        wrong.metadata["rng.dropout"] = value;
        f.run.write_state(wrong);
        CHECK_THROWS_WITH_AS(f.go(), doctest::Contains("state.safetensors"), Error);
    }
    for (const auto& row : state.tensors) {
        const std::string& name = row.first;
        CAPTURE(name);
        TensorFile wrong = state;
        wrong.tensors.erase(name);
        f.run.write_state(wrong);
        CHECK_THROWS_WITH_AS(f.go(), doctest::Contains("state.safetensors"), Error);
    }
}

TEST_CASE("training loop: the curve of damaged metrics") {
    const Fixture f;
    const auto curve = [&](const std::string& text) {
        write_file(f.run.file("metrics.jsonl"), text);
        return loss_curve(f.run, 20, 5);
    };
    CHECK(loss_curve(f.run, 20, 5) == "");
    CHECK(curve("") == "");
    CHECK(curve("\n\n{}\n[]\nnull\n\xFF\n{\"step\": 1}\n{\"loss\": 1}\n") == "");
    const std::string good = "{\"step\": 1, \"loss\": 3}\n{\"step\": 2, \"loss\": 1}\n";
    const std::string expected = curve(good);
    CHECK(expected.find("3.000") != expected.npos);
    CHECK(curve(good + R"({"step": 3, "lo)") == expected);
    CHECK(curve(std::string("\0\0\n", 3) + good) == expected);
    CHECK(curve(R"({"step": "1", "loss": 2})"
                "\n" +
                good) == expected);
    CHECK(curve(R"({"step": 1, "loss": nan})"
                "\n" +
                good) == expected);
    CHECK(curve(R"({"step": 1e308, "loss": 1e308})"
                "\n"
                R"({"step": -1e308, "loss": -1e308})"
                "\n" +
                good) == expected);
    CHECK(curve(std::string(100000, '[') + "\n" + good) == expected);
}

}  // namespace smoe
