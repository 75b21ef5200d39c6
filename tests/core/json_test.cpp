// JSON from outside: what the parser would take in silence is refused, and what is sound is read as
// the parser reads it.
// Read next: tests/core/safetensors_test.cpp, tests/models/training/config_test.cpp, the callers'.
#include "core/json.h"

#include <doctest/doctest.h>

#include "tests/error_of.h"

namespace smoe {
namespace {

using Json = nlohmann::ordered_json;

std::string refusal(const std::string& text, int max_depth = 3) {
    return error_of([&] {
        parse_json<Json>(text, max_depth, [](const std::string& why) { fail("{}", why); });
    });
}

}  // namespace

TEST_CASE("json: what is sound is read") {
    for (const std::string text :
         {R"({"a": {"b": 1, "a": 2}, "b": [{"c": 1}, {"c": 2}], "": "", "A": 3})", "[[[]]]", "{}",
          "3", R"(["a", "a"])", R"({"a": {"c": {}}, "b": {"c": {}}})"}) {
        CAPTURE(text);
        CHECK(refusal(text) == "accepted");
        CHECK(parse_json_or_null<Json>(text, 3) == Json::parse(text));
    }
}

TEST_CASE("json: a key that is given twice is named") {
    CHECK(refusal(R"({"a": 1, "b": 2, "a": 1})") == "the key \"a\" is given twice");
    CHECK(refusal(R"({"a": 1, "\u0061": 1})") == "the key \"a\" is given twice");
    CHECK(refusal(R"({"x": {"b": {}, "b": {}}})") == "the key \"b\" is given twice");
    CHECK(refusal(R"([{"x": [{"y": 1}], "x": 1}])", 4) == "the key \"x\" is given twice");
    CHECK(refusal(R"({"": 1, "": 1})") == "the key \"\" is given twice");
    // Whatever a key holds, it does not steer a terminal.
    const std::string hostile = R"("\u001b[2J\n)" + std::string(500, 'x') + "\": 1";
    const std::string why = refusal("{" + hostile + ", " + hostile + "}");
    CHECK(why.starts_with(R"(the key "\u001b[2J\nxxx)"));
    CHECK(why.size() < 150);
    CHECK(parse_json_or_null<Json>(R"({"a": 1, "a": 1})", 3) == nullptr);
}

TEST_CASE("json: arrays and objects are nested as deep as they may be and no deeper") {
    CHECK(refusal(R"([{"a": [1]}])", 3) == "accepted");
    CHECK(refusal(R"([{"a": [1]}])", 2) == "nested more than 2 deep");
    CHECK(refusal(R"({"a": {}})", 1) == "nested more than 1 deep");
    CHECK(refusal(R"({"a": 1})", 1) == "accepted");
    CHECK(refusal(std::string(1'000'000, '['), 100) == "nested more than 100 deep");
    CHECK(parse_json_or_null<Json>(std::string(1'000'000, '['), 100) == nullptr);
}

TEST_CASE("json: what is no JSON is left to the caller") {
    CHECK_THROWS_AS(refusal("{"), Json::parse_error);
    CHECK_THROWS_AS(refusal("{} {}"), Json::parse_error);
    CHECK_THROWS_AS(refusal("[1e999]"), Json::out_of_range);
    for (const char* const text : {"", "{", "[1e999]", "\xFF", "NaN"}) {
        CHECK(parse_json_or_null<Json>(text, 3) == nullptr);
    }
}

}  // namespace smoe
