// What smoe generate can be asked for: prompts from a file or a pipe, stop strings, and texts as
// JSON. The program is built in float only, so these cases belong to the float tests.
// Read next: runs_test.cpp, where it writes for people.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/examples/workshop.h"

namespace smoe {
namespace {

using Json = nlohmann::json;

std::vector<Json> lines_of(const Outcome& outcome) {
    std::vector<Json> lines;
    for (const std::string& line : split(outcome.out, '\n')) {
        lines.push_back(Json::parse(line));
    }
    return lines;
}

}  // namespace

TEST_CASE("generate: the prompt comes from a file or from standard input") {
    const std::string expected = done("generate run --prompt Once --max-tokens 12").out;
    put("prompt.txt", "Once\n");
    CHECK(done("generate run --prompt-file prompt.txt --max-tokens 12").out == expected);
    CHECK(done("generate run --stdin --max-tokens 12", {.input = "Once\n"}).out == expected);
    CHECK(done("generate run --stdin --max-tokens 12", {.input = "Once"}).out == expected);
    CHECK(done("generate run --stdin --max-tokens 12", {.input = "Once\n\n"}).out != expected);
    CHECK(done("generate run --stdin --max-tokens 12").out ==
          done("generate run --max-tokens 12").out);
    refused("generate run --prompt-file corpus", 1, "it is a folder");
    refused("generate run --stdin --prompt A", 2, "--prompt");
    refused("generate run --stdin --prompt-file prompt.txt", 2, "--prompt-file");
    refused("generate run --prompt A --prompt-file prompt.txt", 2, "--prompt");
}

TEST_CASE("generate: a text ends where a stop string begins") {
    const std::string words =
        "generate run --prompt Once --sampling multinomial --max-tokens 25 --seed 3";
    const std::string text = done(words).out;
    // Cut from the model's own text, behind the prompt, which is not searched: letters, since bytes
    // that are no characters are shown as others.
    const auto is_plain = [&text](size_t i) { return text[i] >= ' ' && text[i] < 127; };
    size_t at = 8;
    while (at + 3 < text.size() && !(is_plain(at) && is_plain(at + 1) && is_plain(at + 2))) {
        ++at;
    }
    REQUIRE(at + 3 < text.size());
    const std::string stop = text.substr(at, 3);
    const size_t end = text.find(stop, 4);
    std::vector<std::string> asked = split(words, ' ');
    asked.insert(asked.end(), {"--stop=" + stop, "--stop", "never written"});
    const Outcome cut = smoe_program(asked);
    CHECK(cut.out == text.substr(0, end) + "\n");
    asked.insert(asked.end(), {"--samples", "3", "--json"});
    const std::vector<Json> lines = lines_of(smoe_program(asked));
    REQUIRE(lines.size() == 3);
    CHECK(lines[0]["ended_by"] == "stop_string");
    CHECK(lines[0]["stop"] == stop);
    CHECK(lines[0]["text"] == text.substr(4, end - 4));
    for (const Json& line : lines) {
        CHECK(line["text"].get<std::string>().find(stop) == std::string::npos);
    }
    refused({"generate", "run", "--stop", std::string(300, 'x')}, 1, "256 bytes, found 300");
    std::vector<std::string> many = {"generate", "run", "--stop"};
    many.resize(20, "x");
    refused(many, 1, "at most 16");
}

TEST_CASE("generate: texts as JSON") {
    const std::string words =
        "generate run --prompt Once --max-tokens 12 --samples 6 --seed 2 --sampling multinomial ";
    const std::vector<Json> lines = lines_of(done(words + "--json"));
    REQUIRE(lines.size() == 6);
    std::string shown, ends;
    for (size_t i = 0; i < lines.size(); ++i) {
        const Json& line = lines[i];
        CHECK(line["sample"] == i);
        CHECK(line["seed"] == 2);
        CHECK(line["prompt"] == "Once");
        const std::string ended_by = line["ended_by"];
        CHECK((ended_by == "max_tokens") == (line["tokens"].size() == 12));
        CHECK((ended_by == "end_of_text") == line["tokens"].back()["expert"].is_null());
        ends += ended_by + " ";
        for (const Json& token : line["tokens"]) {
            CHECK(token["id"].is_number_integer());
            CHECK(token["log_probability"].get<double>() < 0);
            CHECK(token.contains("text"));
            CHECK_FALSE(token.contains("router"));
        }
        shown += "Once" + line["text"].get<std::string>() + "\n" + (i < 5 ? "\n---\n\n" : "");
    }
    CHECK(shown == done(words).out);
    refused("generate run --json --show-experts", 2, "--show-experts");
    const Json one = lines_of(done("generate run --sampling greedy --max-tokens 100 --json")).at(0);
    CHECK((one["ended_by"] == "context" || one["ended_by"] == "end_of_text"));
    const Json bytes =
        lines_of(smoe_program({"generate", "run", "--json", "--prompt", "a\xFF"})).at(0);
    CHECK(bytes["prompt"] == "a\xEF\xBF\xBD");
}

TEST_CASE("generate: the same text as without options that are off") {
    const std::string words = "generate run --prompt Once --samples 3 --seed 4 ";
    const std::string text = done(words).out;
    CHECK(done(words + "--min-p 0 --repetition-penalty 1 --stop nothing-like-it").out == text);
    CHECK(done(words + "--min-p 0.5").out != text);
    CHECK(done(words + "--repetition-penalty 3").out != text);
    CHECK(done(words + "--min-p 1").out == done(words + "--sampling greedy").out);
}

}  // namespace smoe
#endif
