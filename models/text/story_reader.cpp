// The kinds of story files. Each reader hands over what its format says, including blank stories
// and missing domains. parse_stories settles those for all readers.
// Read next: dataset.cpp.
#include "models/text/story_reader.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string_view>

#include "core/check.h"
#include "core/file.h"
#include "core/utf8.h"
#include "models/text/csv.h"
#include "models/text/foreign_format.h"
#include "models/text/json_lines.h"
#include "models/text/line_ends.h"

namespace smoe {
namespace {

constexpr std::string_view marker = "<|endoftext|>", byte_order_mark = "\xEF\xBB\xBF";

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

void remove_one_line_end_before(std::string_view& text) {
    if (text.ends_with('\n') || text.ends_with('\r')) {
        text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);
    }
}

// The text between markers. The first text has no marker before it. The last one may have none
// after it: the end of the file counts as one.
std::vector<Story> from_text(std::string_view bytes) {
    std::vector<Story> stories;
    for (bool first = true, last = false; !last; first = false) {
        const size_t length = bytes.find(marker);
        last = length == bytes.npos;
        std::string_view text = bytes.substr(0, length);
        bytes.remove_prefix(last ? bytes.size() : length + marker.size());
        remove_one_line_end_before(text);
        if (!first) {
            text.remove_prefix(line_end_length(text));
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

bool has_text_column(std::string_view line, char separator) {
    for (;;) {
        const size_t length = std::min(line.find(separator), line.size());
        const std::string_view name = line.substr(0, length);
        if (name == "text" || name == "\"text\"") {
            return true;
        }
        if (length == line.size()) {
            return false;
        }
        line.remove_prefix(length + 1);
    }
}

// Throws Error if the header has a column "text" only when read with a different separator.
void require_separator(std::string_view bytes, char separator, const std::string& path) {
    bytes.remove_prefix(std::min(bytes.find_first_not_of("\r\n"), bytes.size()));
    const std::string_view header = take_line(bytes);
    if (has_text_column(header, separator)) {
        return;
    }
    for (const auto& [other, advice] :
         {std::pair(';', "write the file with commas"),
          std::pair('|', "write the file with commas"), std::pair('\t', "give it the ending .tsv"),
          std::pair(',', "give it the ending .csv")}) {
        check(!has_text_column(header, other),
              "'{}': its columns are separated by {} and not by {}: {}", path,
              other == '\t' ? "tabs" : fmt::format("'{}'", other),
              separator == '\t' ? "tabs" : "commas", advice);
    }
}

// Does the row repeat the header, as in files that were joined? Throws Error if it does so in a
// different order, since the rows behind it would be misread.
bool repeats_header(const std::vector<std::string>& row, const std::vector<std::string>& header,
                    const std::string& path, int64_t line) {
    if (row.front().starts_with(byte_order_mark)) {
        std::vector<std::string> unmarked = row;
        unmarked.front().erase(0, byte_order_mark.size());
        return repeats_header(unmarked, header, path, line);
    }
    const bool same = row == header;
    check(
        same || !std::is_permutation(row.begin(), row.end(), header.begin()),
        "'{}' line {}: the header comes again with its columns in another order: make it two files",
        path, line);
    return same;
}

std::vector<Story> from_table(std::string_view bytes, char separator, const std::string& path) {
    require_separator(bytes, separator, path);
    CsvReader reader(bytes, separator, path);
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
              "'{}' line {}: {} fields were found where the header has {}; a text with {} or line "
              "ends must stand in quotes",
              path, reader.line(), fields.size(), header.size(),
              separator == ',' ? "commas" : "tabs");
        if (!repeats_header(fields, header, path, reader.line())) {
            stories.push_back(
                {fields[text_column], domain_column < fields.size() ? fields[domain_column] : ""});
        }
    }
    return stories;
}

// Reads by the ending of `path`.
std::vector<Story> stories_of(std::string_view bytes, const std::string& path) {
    const std::string ending = lower_case_ending(path);
    if (ending == ".jsonl" || ending == ".ndjson") {
        return stories_of_json_lines(bytes, path);
    }
    if (ending == ".csv" || ending == ".tsv") {
        return from_table(bytes, ending == ".csv" ? ',' : '\t', path);
    }
    if (ending == ".json") {
        refuse_json_document(bytes, path);
    }
    if (bytes.find(marker) == bytes.npos) {  // nobody has made stories of it
        refuse_markup(bytes, path);
        refuse_json(bytes, path);
    }
    return from_text(bytes);
}

}  // namespace

std::vector<Story> read_stories(const std::string& path) {
    return parse_stories(read_file(path), path);
}

std::vector<Story> parse_stories(std::string_view bytes, const std::string& path) {
    require_text(bytes, path);
    if (bytes.starts_with(byte_order_mark)) {
        bytes.remove_prefix(byte_order_mark.size());
    }
    std::vector<Story> stories = stories_of(bytes, path);
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
    require_readable(paths);
    std::vector<Story> stories;
    for (const std::string& path : paths) {
        std::vector<Story> more = read_stories(path);
        std::move(more.begin(), more.end(), std::back_inserter(stories));
    }
    return stories;
}

}  // namespace smoe
