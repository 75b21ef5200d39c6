// The three kinds of story files. Each reader hands over what its format says, blank stories and
// missing domains included; parse_stories settles those for all of them.
// Read next: dataset.cpp.
#include "models/text/story_reader.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/check.h"
#include "core/file.h"
#include "core/utf8.h"
#include "models/text/csv.h"

namespace smoe {
namespace {

using Json = nlohmann::json;

constexpr std::string_view marker = "<|endoftext|>", byte_order_mark = "\xEF\xBB\xBF";
constexpr int max_depth = 32;  // of a line of JSON

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == text.npos;
}

std::string domain_of(const std::filesystem::path& path) {
    std::string name = path.stem().string();
    check(valid_utf8(name), "the name of '{}' is not valid UTF-8: rename the file", path.string());
    for (const std::string_view part : {"_train", "_valid", "_test"}) {
        if (name.size() > part.size() && name.ends_with(part)) {
            name.resize(name.size() - part.size());
            break;
        }
    }
    return name;
}

std::string lower_case_ending(const std::filesystem::path& path) {
    std::string ending = path.extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(),
                   [](char c) { return 'A' <= c && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return ending;
}

void require_utf8(std::string_view bytes, const std::string& path) {
    const size_t valid = valid_utf8_prefix(bytes);
    if (valid < bytes.size()) {
        const auto line = 1 + std::count(bytes.begin(), bytes.begin() + ptrdiff_t(valid), '\n');
        fail(
            "'{}' is not valid UTF-8 at byte {} (line {}); if it is text in another encoding, "
            "convert it first: iconv -f WINDOWS-1252 -t UTF-8, for example",
            path, valid, line);
    }
}

void remove_one_line_end_before(std::string_view& text) {
    if (text.ends_with('\n')) {
        text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);
    }
}

void remove_one_line_end_after(std::string_view& text) {
    text.remove_prefix(text.starts_with("\r\n") ? 2 : text.starts_with('\n') ? 1 : 0);
}

// The text between markers. The file's first text has no marker before it, the last one none after
// it, but the end of the file, which counts as one.
std::vector<Story> from_text(std::string_view bytes) {
    std::vector<Story> stories;
    for (bool first = true, last = false; !last; first = false) {
        const size_t length = bytes.find(marker);
        last = length == bytes.npos;
        std::string_view text = bytes.substr(0, length);
        bytes.remove_prefix(last ? bytes.size() : length + marker.size());
        remove_one_line_end_before(text);
        if (!first) {
            remove_one_line_end_after(text);
        }
        stories.push_back({std::string(text), ""});
    }
    return stories;
}

// Position of the column `name`, or header.size() if there is none.
size_t column_of(const std::vector<std::string>& header, const std::string& name,
                 const std::string& path) {
    const auto found = std::find(header.begin(), header.end(), name);
    check(found == header.end() || std::find(found + 1, header.end(), name) == header.end(),
          "the header of '{}' has two columns named \"{}\"", path, name);
    return size_t(found - header.begin());
}

std::vector<Story> from_csv(std::string_view bytes, const std::string& path) {
    CsvReader reader(bytes, path);
    std::vector<std::string> header, fields;
    reader.next(header);
    const int64_t header_line = reader.line();
    const size_t text_column = column_of(header, "text", path);
    const size_t domain_column = column_of(header, "domain", path);
    check(text_column < header.size(),
          "'{}' line {}: expected a header with a column named \"text\", found {} columns and none "
          "of that name",
          path, header_line, header.size());
    std::vector<Story> stories;
    while (reader.next(fields)) {
        check(fields.size() == header.size(),
              "'{}' line {}: {} fields were found where the header has {}; a text with commas or "
              "line ends must stand in quotes",
              path, reader.line(), fields.size(), header.size());
        stories.push_back(
            {fields[text_column], domain_column < fields.size() ? fields[domain_column] : ""});
    }
    return stories;
}

std::vector<Story> from_jsonl(std::string_view bytes, const std::string& path) {
    std::vector<Story> stories;
    for (int64_t line = 1; !bytes.empty(); ++line) {
        const size_t length = std::min(bytes.find('\n'), bytes.size());
        const std::string_view text = bytes.substr(0, length);
        bytes.remove_prefix(std::min(length + 1, bytes.size()));
        if (is_blank(text)) {
            continue;
        }
        // The parser would take a zero byte for the end of the line.
        check(text.find('\0') == text.npos, "'{}' line {}: a zero byte is not valid JSON", path,
              line);
        const auto watch = [&](int depth, Json::parse_event_t, const Json&) {
            check(depth < max_depth, "'{}' line {}: nested more than {} deep", path, line,
                  max_depth);
            return true;
        };
        const Json object = Json::parse(text, watch, false);
        check(object.is_object(), "'{}' line {}: expected a JSON object like {{\"text\": \"...\"}}",
              path, line);
        const auto string_at = [&](const char* key) {
            check(object[key].is_string(), "'{}' line {}: \"{}\" is not a string", path, line, key);
            return object[key].get<std::string>();
        };
        check(object.contains("text"), "'{}' line {}: the object has no \"text\"", path, line);
        stories.push_back(
            {string_at("text"), object.contains("domain") ? string_at("domain") : ""});
    }
    return stories;
}

}  // namespace

std::vector<Story> read_stories(const std::string& path) {
    return parse_stories(read_file(path), path);
}

std::vector<Story> parse_stories(std::string_view bytes, const std::string& path) {
    require_utf8(bytes, path);
    if (bytes.starts_with(byte_order_mark)) {
        bytes.remove_prefix(byte_order_mark.size());
    }
    const std::string ending = lower_case_ending(path);
    std::vector<Story> stories = ending == ".jsonl" ? from_jsonl(bytes, path)
                                 : ending == ".csv" ? from_csv(bytes, path)
                                                    : from_text(bytes);
    std::erase_if(stories, [](const Story& story) { return is_blank(story.text); });
    check(!stories.empty(), "'{}' holds no story", path);
    const std::string domain = domain_of(path);
    for (Story& story : stories) {
        if (story.domain.empty()) {
            story.domain = domain;
        }
    }
    return stories;
}

std::vector<Story> read_stories(const std::vector<std::string>& paths) {
    std::vector<Story> stories;
    for (const std::string& path : paths) {
        std::vector<Story> more = read_stories(path);
        std::move(more.begin(), more.end(), std::back_inserter(stories));
    }
    return stories;
}

}  // namespace smoe
