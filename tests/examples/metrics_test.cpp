// Numbers of a run for other programs: a table and an event file, taken apart again by hand, and
// what training keeps for them. tests/interop/check.py asks TensorBoard itself. The program is built
// in float only, so these cases belong to the float tests.
// Read next: examples/smoe/event_file.h.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "examples/smoe/event_file.h"
#include "tests/examples/workshop.h"

namespace smoe {
namespace {

std::vector<nlohmann::json> lines_of(const std::string& file) {
    std::vector<nlohmann::json> lines;
    for (const std::string& line : split(contents(file), '\n')) {
        lines.push_back(nlohmann::json::parse(line));
    }
    return lines;
}

template <class Number>
Number number_at(const std::string& bytes, size_t at) {
    Number number;
    REQUIRE(at + sizeof number <= bytes.size());
    std::memcpy(&number, bytes.data() + at, sizeof number);
    return number;
}

uint32_t unmasked(uint32_t crc) {
    return std::rotl(crc - 0xA282EAD8U, 15);
}

// The contents of the records, whose lengths and checksums are right.
std::vector<std::string> records_of(const std::string& bytes) {
    std::vector<std::string> records;
    for (size_t at = 0; at < bytes.size();) {
        const auto length = number_at<uint64_t>(bytes, at);
        CHECK(unmasked(number_at<uint32_t>(bytes, at + 8)) == crc32c(bytes.substr(at, 8)));
        records.push_back(bytes.substr(at + 12, length));
        CHECK(unmasked(number_at<uint32_t>(bytes, at + 12 + length)) == crc32c(records.back()));
        at += 16 + length;
    }
    return records;
}

}  // namespace

TEST_CASE("metrics: the checksum and the records are those of the formats") {
    CHECK(crc32c("123456789") == 0xE3069283);  // RFC 3720 gives the following two
    CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AA);
    CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
    // wall_time 1.5, step 300, value {tag "a/b", 0.25}, field by field
    const std::string expected(
        "\x09\0\0\0\0\0\0\xF8\x3F\x10\xAC\x02\x2A\x0C\x0A\x0A\x0A\x03"
        "a/b"
        "\x15\0\0\x80\x3E",
        26);
    CHECK(records_of(scalars_record(1.5, 300, {{"a/b", 0.25F}})) ==
          std::vector<std::string>{expected});
    CHECK(is_event_file(event_file_start(1e9)));
    CHECK(!is_event_file(scalars_record(1.5, 3, {})));
    const std::string long_tag(300, 'x');  // whose length takes two bytes
    CHECK(has(records_of(scalars_record(0, 1, {{long_tag, 1}}))[0], "\xAC\x02" + long_tag));
}

TEST_CASE("metrics: a table has a line for each report, and all of its numbers") {
    CHECK(has(done("metrics run --csv run.csv").out, "5 reports, written to run.csv"));
    std::vector<std::vector<std::string>> rows;
    for (const std::string& line : split(contents("run.csv"), '\n')) {
        rows.emplace_back();
        for (size_t begin = 0; begin <= line.size();) {
            const size_t end = std::min(line.find(',', begin), line.size());
            rows.back().push_back(line.substr(begin, end - begin));
            begin = end + 1;
        }
    }
    const auto reports = lines_of("run/metrics.jsonl");
    REQUIRE(rows.size() == reports.size() + 1);
    for (size_t r = 0; r < reports.size(); ++r) {
        REQUIRE(rows[r + 1].size() == rows[0].size());
        for (size_t c = 0; c < rows[0].size(); ++c) {
            std::string pointer = "/" + rows[0][c];
            std::ranges::replace(pointer, '.', '/');
            const nlohmann::json::json_pointer place(pointer);
            CHECK(rows[r + 1][c] == (reports[r].contains(place) ? reports[r][place].dump() : ""));
        }
    }
    for (const char* column : {"step", "learning_rate", "time", "seconds", "grad_norm",
                               "multiply_adds", "expert_tokens.9", "valid_domains.english.loss"}) {
        CHECK(std::ranges::count(rows[0], column) == 1);
    }
    // A domain may be called anything.
    copy_run("run", "oddly");
    put("oddly/metrics.jsonl",
        R"({"step": 1, "valid_domains": {"a,\"b\"": {"loss": 2}}, "note": "no number"})"
        "\n");
    done("metrics oddly --csv run.csv");
    CHECK(contents("run.csv") == "step,\"valid_domains.a,\"\"b\"\".loss\"\n1,2\n");
    put("mine.csv", "mine\n");
    refused("metrics run --csv mine.csv", 1, "is not a table of smoe metrics");
    refused("metrics run", 2, "--csv");
    refused("metrics run --csv a --tensorboard b", 2, "--tensorboard");
    refused("metrics corpus --csv new.csv", 1, "not a run directory");
    put("oddly/metrics.jsonl", "");
    refused("metrics oddly --csv new.csv", 1, "holds no report");
}

TEST_CASE("metrics: an event file has a record for each report and replaces only its like") {
    const std::string out = done("metrics run --tensorboard board/run").out;
    CHECK(has(out, "show board/run to TensorBoard"));
    const std::string file = "board/run/events.out.tfevents.0.smoe";
    const auto records = records_of(contents(file));
    const auto reports = lines_of("run/metrics.jsonl");
    REQUIRE(records.size() == reports.size() + 1);
    CHECK(has(records[0], "brain.Event:2"));
    for (size_t r = 0; r < reports.size(); ++r) {
        CHECK(number_at<double>(records[r + 1], 1) == reports[r]["time"]);
        const char* key = reports[r].contains("loss") ? "loss" : "valid_loss";
        const size_t at = records[r + 1].find(std::string("\x0A") + char(strlen(key)) + key);
        REQUIRE(at != std::string::npos);
        CHECK(number_at<float>(records[r + 1], at + 3 + strlen(key)) ==
              reports[r][key].get<float>());
    }
    CHECK(has(records.back(), "valid_domains/english/loss"));
    done("metrics run --tensorboard board/run");  // again
    put(file, "mine");
    refused("metrics run --tensorboard board/run", 1, "is not an event file");
    put("board/file", "");
    refused("metrics run --tensorboard board/file", 1, "'board/file'");
}

TEST_CASE("metrics: training notes the learning rate of its last step, and the time of day") {
    done(tiny_train() + "--run rated --optimizer adamw --schedule linear --log-every 1");
    double before = 0;
    for (const auto& report : lines_of("rated/metrics.jsonl")) {
        CHECK(report["time"].get<double>() > 1.7e9);
        CHECK(report["time"].get<double>() >= before);
        before = report["time"];
        if (report.contains("loss")) {  // two steps of warm-up, then down to 0 at step 6
            const double rates[] = {0.5, 1, 1, 0.75, 0.5, 0.25};
            const double rate = rates[report["step"].get<int>() - 1] * 8e-3;
            CHECK(report["learning_rate"].get<double>() == doctest::Approx(rate));
        }
    }
}

TEST_CASE("metrics: samples are kept, cut on resume, and shown by the report") {
    const std::string often = tiny_train() + "--sample-every 1 ";
    done(often + "--run sampled");
    const auto samples = lines_of("sampled/samples.jsonl");
    REQUIRE(samples.size() == 5);  // the last step ends with an evaluation instead
    for (size_t i = 0; i < samples.size(); ++i) {
        CHECK(samples[i]["step"] == i + 1);
        CHECK(samples[i]["ids"].size() == samples[i]["experts"].size());
        CHECK(!samples[i]["text"].get<std::string>().empty());
    }
    // A resumed run writes the same samples again, after a kill that left some from later steps.
    copy_run("sampled", "resampled");
    std::filesystem::rename(workshop() + "/resampled/state.previous.safetensors",
                            workshop() + "/resampled/state.safetensors");
    done("train --run resampled --resume");
    CHECK(contents("resampled/samples.jsonl") == contents("sampled/samples.jsonl"));

    done("report sampled");
    const std::string page = contents("sampled/report.html");
    CHECK(has(page, R"("samples":[{"step":1,"tokens":[{"t":)"));
    put("sampled/samples.jsonl", R"({"step": 2, "ids": [65, -1]})"
                                 "\n"
                                 R"({"step": 3, "ids": [32], "experts": [77]})"
                                 "\n");
    done("report sampled");
    CHECK(has(contents("sampled/report.html"),
              R"("samples":[{"step":2,"tokens":[]},{"step":3,"tokens":[{"t":"A"}]}])"));
    done(often + "--run inside --routing gate");
    CHECK(!lines_of("inside/samples.jsonl")[0].contains("experts"));
}

}  // namespace smoe
#endif
