// Each line is parsed by itself. The common reasons why a line is not JSON have their own messages:
// NaN, which Python writes for a missing number; a number that is too large; half a character.
// Read next: story_reader.cpp.
#include "models/text/json_lines.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/json.h"
#include "models/text/line_ends.h"

namespace smoe {
namespace {

using Json = nlohmann::json;

constexpr std::string_view blanks = " \t\r\n";
constexpr int max_depth = 32;  // of a line

std::string_view without_blanks_before(std::string_view text) {
    return text.substr(std::min(text.find_first_not_of(blanks), text.size()));
}

std::string complaint(const Json::parse_error& error, std::string_view line) {
    // The number of bytes read, the last of which does not fit; past the end if the line is too
    // short.
    const size_t column = std::max<size_t>(error.byte, 1);
    if (column > line.size()) {
        return "the line ends before the object does";
    }
    for (const std::string_view word : {"NaN", "Infinity"}) {
        if (line.substr(column - 1).starts_with(word)) {
            return fmt::format("{} at column {} is no JSON: write null", word, column);
        }
    }
    if (std::string_view(error.what()).find("surrogate") != std::string_view::npos) {
        return fmt::format(
            "the \\u at column {} is half of a character (a lone surrogate): both halves must "
            "stand together",
            line.substr(0, column).rfind("\\u") + 1);
    }
    return fmt::format("this is not valid JSON from column {} on", column);
}

Story story_of(std::string_view line, const std::string& path, int64_t number) {
    const auto refuse = [&](std::string_view why) { fail("'{}' line {}: {}", path, number, why); };
    if (!without_blanks_before(line).starts_with('{')) {
        refuse(R"(expected a JSON object like {"text": "..."})");
    }
    Json object;
    try {
        object = parse_json<Json>(line, max_depth, refuse);
    } catch (const Json::parse_error& error) {
        refuse(complaint(error, line));
    } catch (const Json::out_of_range&) {
        refuse("a number is too large: they end at 1.8e308");
    }
    if (!object.contains("text")) {
        refuse(R"(the object has no "text")");
    }
    const auto string_at = [&](const char* key) {
        const Json& value = object[key];
        if (!value.is_string()) {
            refuse(fmt::format("\"{}\" is of type {}, not a string", key, value.type_name()));
        }
        return value.get<std::string>();
    };
    const bool has_domain = object.contains("domain") && !object["domain"].is_null();
    return {string_at("text"), has_domain ? string_at("domain") : ""};
}

// Is the first line an object, with a "text" in it or more lines behind it?
bool is_json_lines(std::string_view text) {
    std::string_view rest = without_blanks_before(text);
    if (!rest.starts_with('{')) {
        return false;
    }
    const std::string_view line = take_line(rest);
    return Json::accept(line) &&
           (!without_blanks_before(rest).empty() || line.find("\"text\"") != line.npos);
}

[[noreturn]] void refuse_as_lines(const std::string& path) {
    fail("'{}' holds JSON lines, an object on each: give it the ending .jsonl", path);
}

}  // namespace

int64_t add_stories_of_json_lines(std::string_view text, const std::string& path, int64_t first,
                                  std::vector<Story>& stories) {
    check(first > 1 || !without_blanks_before(text).starts_with('['),
          "'{}' holds one JSON array and not an object on each line: jq -c '.[]' OLD > NEW.jsonl "
          "takes it apart",
          path);
    int64_t number = first;
    for (; !text.empty(); ++number) {
        const std::string_view line = take_line(text);
        if (!without_blanks_before(line).empty()) {
            stories.push_back(story_of(line, path, number));
        }
    }
    return number;
}

void refuse_json(std::string_view text, const std::string& path) {
    if (is_json_lines(text)) {
        refuse_as_lines(path);
    }
    const std::string_view inside = without_blanks_before(text);
    if ((inside.starts_with('{') || inside.starts_with('[')) && Json::accept(inside)) {
        refuse_json_document(text, path);
    }
}

void refuse_json_document(std::string_view text, const std::string& path) {
    if (is_json_lines(text)) {
        refuse_as_lines(path);
    }
    fail(
        "'{}' is a JSON document; what is read is JSON lines, an object like {{\"text\": \"...\"}} "
        "on each line of a .jsonl file: jq -c '.[]' OLD > NEW.jsonl makes them from an array",
        path);
}

}  // namespace smoe
