// What smoe eval tells programs. The program is built in float only, so these cases belong to the
// float tests.
// Read next: tables_test.cpp, what it tells people.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/examples/workshop.h"

namespace smoe {

TEST_CASE("eval: it tells programs which run and text it is about, and what each story loses") {
    const std::string eval = "eval run --data corpus/valid.jsonl ";
    const auto json = nlohmann::json::parse(done(eval + "--json").out);
    CHECK(json["run"] == "run");
    CHECK(json["step"] == 6);
    CHECK(json["seed"] == 1);
    CHECK(json["text_hash"] ==
          nlohmann::json::parse(contents("run/config.json"))["data"]["valid_hash"]);
    CHECK(!json.contains("stories"));
    refused(eval + "--stories", 2, "--json");

    const auto told = nlohmann::json::parse(done(eval + "--json --stories").out);
    const std::vector<std::string> texts = split(contents("corpus/valid.jsonl"), '\n');
    REQUIRE(told["stories"].size() == texts.size());
    double loss = 0;
    int64_t bytes = 0;
    for (size_t i = 0; i < texts.size(); ++i) {
        const auto& story = told["stories"][i];
        CHECK(story["story"] == i);
        CHECK(story["domain"] == nlohmann::json::parse(texts[i])["domain"]);
        loss += story["loss"].get<double>() * story["tokens"].get<double>();
        bytes += story["bytes"].get<int64_t>();
    }
    CHECK(loss / told["tokens"].get<double>() == doctest::Approx(told["loss"].get<double>()));
    CHECK(bytes == told["bytes"]);
    // Of a story in several sequences all are added up; one that is left out is not numbered anew.
    put("mixed.txt",
        "A fox.\n<|endoftext|>\n" + std::string(100, 'x') + "\n<|endoftext|>\nA hen.\n");
    const auto of_mixed = [&](const std::string& fate) {
        return nlohmann::json::parse(
            done("eval run --data mixed.txt --json --stories --long " + fate).out)["stories"];
    };
    CHECK(of_mixed("split").size() == 3);
    CHECK(of_mixed("split")[1]["bytes"] == 100);
    CHECK(of_mixed("split")[1]["tokens"].get<int64_t>() >
          of_mixed("cut")[1]["tokens"].get<int64_t>());
    CHECK(of_mixed("drop").size() == 2);
    CHECK(of_mixed("drop")[1]["story"] == 2);
}

TEST_CASE("experts: tables for people, an object for programs, and agreement with another run") {
    const std::string command = "experts run --data corpus/valid.jsonl";
    const std::string table = done(command).out;
    CHECK(has(table, "as routed"));
    CHECK(has(table, "one expert banned"));
    for (const std::string& line : split(table, '\n')) {
        CHECK(line.size() <= 80);
    }
    const auto json =
        nlohmann::json::parse(done("experts run run --json --data corpus/valid.jsonl").out);
    const auto eval = nlohmann::json::parse(done("eval run --data corpus/valid.jsonl --json").out);
    CHECK(json["loss"].get<double>() == doctest::Approx(eval["loss"].get<double>()));
    CHECK(json["single"].size() == 10);
    CHECK(json["blocks"][0]["expert_tokens"] == eval["expert_tokens"]);
    for (const auto& agreed : json["agreement"]) {
        CHECK(agreed == doctest::Approx(1));
    }
    refused(command + " --max-tokens -1", 1, "--max-tokens");
}

TEST_CASE("gates: a run with routers inside is evaluated, writes, and is reported") {
    done("train --data corpus/train.jsonl --valid corpus/valid.jsonl" + tiny_settings() +
         "--routing gate --mask-where hidden --steps 3 --run gates");
    const auto eval =
        nlohmann::json::parse(done("eval gates --data corpus/valid.jsonl --json").out);
    int64_t rows = 0;
    for (const auto& count : eval["expert_tokens"]) {
        rows += count.get<int64_t>();
    }
    const auto layers = nlohmann::json::parse(contents("gates/config.json"))["model"]["layers"];
    CHECK(rows == layers.get<int64_t>() * eval["tokens"].get<int64_t>());
    done("generate gates --max-tokens 5");
    done("report gates");
    // This is known from config.json, so the weights are not read for it.
    put("gates/model.safetensors", "broken");
    refused("generate gates --show-experts", 1, "--show-experts");
}

}  // namespace smoe
#endif
