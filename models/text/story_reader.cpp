// The kinds of story files. Each format hands over what its pieces say, including blank stories
// and missing domains. StoryReader settles those for all formats.
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
#include "models/text/json_lines.h"
#include "models/text/line_ends.h"
#include "models/text/token_file.h"

namespace smoe {

class StoryReader::Format {
  public:
    virtual ~Format() = default;
    virtual size_t border(std::string_view bytes) const = 0;  // see TextPieces::Border
    virtual void parse(const TextPieces& pieces, std::vector<Story>& stories) = 0;
};

namespace {

constexpr std::string_view marker = "<|endoftext|>";
using Stories = std::vector<Story>;

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

void remove_one_line_end_before(std::string_view& text) {
    if (text.ends_with('\n') || text.ends_with('\r')) {
        text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);
    }
}

// The text between markers. The first text has no marker before it. The last one may have none
// after it: the end of the file counts as one.
class MarkedText : public StoryReader::Format {
  public:
    explicit MarkedText(const std::string& path) : path_(path) {}

    size_t border(std::string_view bytes) const override {
        const size_t last = bytes.rfind(marker);
        return last == bytes.npos ? 0 : last + marker.size();
    }

    void parse(const TextPieces& pieces, Stories& stories) override {
        std::string_view bytes = pieces.piece();
        if (pieces.is_first() && bytes.find(marker) == bytes.npos) {  // nobody made stories of it
            refuse_markup(bytes, path_);
            refuse_json(bytes, path_);
        }
        for (bool last = false; !last; first_ = false) {
            const size_t length = bytes.find(marker);
            last = length == bytes.npos;
            if (last && !pieces.is_last()) {
                break;  // behind the last marker of this piece, where the next one begins
            }
            std::string_view text = bytes.substr(0, length);
            bytes.remove_prefix(last ? bytes.size() : length + marker.size());
            remove_one_line_end_before(text);
            if (!first_) {
                text.remove_prefix(line_end_length(text));
            }
            stories.push_back({std::string(text), ""});
        }
    }

  private:
    std::string path_;
    bool first_ = true;  // is the next text the first of the file?
};

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

class Table : public StoryReader::Format {
  public:
    Table(const std::string& path, char separator) : path_(path), separator_(separator) {}

    size_t border(std::string_view bytes) const override { return whole_rows(bytes, separator_); }

    void parse(const TextPieces& pieces, Stories& stories) override {
        CsvReader reader(pieces.piece(), separator_, path_, line_);
        std::vector<std::string> fields;
        if (header_.empty() && !read_header(reader, pieces)) {
            return;
        }
        while (reader.next(fields)) {
            check(fields.size() == header_.size(),
                  "'{}' line {}: {} fields were found where the header has {}; a text with {} or "
                  "line ends must stand in quotes",
                  path_, reader.line(), fields.size(), header_.size(),
                  separator_ == ',' ? "commas" : "tabs");
            if (!repeats_header(fields, header_, path_, reader.line())) {
                stories.push_back({fields[text_column_],
                                   domain_column_ < fields.size() ? fields[domain_column_] : ""});
            }
        }
        line_ = reader.line();
    }

  private:
    // False if it may come in a later piece.
    bool read_header(CsvReader& reader, const TextPieces& pieces) {
        const bool blank = pieces.piece().find_first_not_of("\r\n") == std::string_view::npos;
        if (!blank || pieces.is_last()) {
            require_separator(pieces.piece(), separator_, path_);
        }
        reader.next(header_);
        if (blank && !pieces.is_last()) {
            line_ = reader.line();
            return false;
        }
        text_column_ = column_of(header_, "text", path_);
        domain_column_ = column_of(header_, "domain", path_);
        check(text_column_ < header_.size(),
              "'{}' line {}: expected a header with a column named \"text\", found {} columns and "
              "none of that name",
              path_, reader.line(), header_.size());
        return true;
    }

    std::string path_;
    char separator_;
    std::vector<std::string> header_;  // empty until it was read
    size_t text_column_ = 0, domain_column_ = 0;
    int64_t line_ = 1;  // of the next piece
};

class JsonLines : public StoryReader::Format {
  public:
    explicit JsonLines(const std::string& path) : path_(path) {}

    size_t border(std::string_view bytes) const override { return whole_lines(bytes); }
    void parse(const TextPieces& pieces, Stories& stories) override {
        line_ = add_stories_of_json_lines(pieces.piece(), path_, line_, stories);
    }

  private:
    std::string path_;
    int64_t line_ = 1;  // of the next piece
};

// Never gets beyond its first piece, which says what to do with it.
class JsonDocument : public StoryReader::Format {
  public:
    explicit JsonDocument(const std::string& path) : path_(path) {}

    size_t border(std::string_view bytes) const override { return bytes.size(); }
    void parse(const TextPieces& pieces, Stories&) override {
        refuse_json_document(pieces.piece(), path_);
    }

  private:
    std::string path_;
};

// By the ending of `path`.
std::unique_ptr<StoryReader::Format> format_of(const std::string& path) {
    const std::string ending = lower_case_ending(path);
    check(ending != token_file_ending,
          "'{}' holds tokens and not text: give the text that they were made of", path);
    if (ending == ".jsonl" || ending == ".ndjson") {
        return std::make_unique<JsonLines>(path);
    }
    if (ending == ".csv" || ending == ".tsv") {
        return std::make_unique<Table>(path, ending == ".csv" ? ',' : '\t');
    }
    if (ending == ".json") {
        return std::make_unique<JsonDocument>(path);
    }
    return std::make_unique<MarkedText>(path);
}

Stories all_stories(StoryReader reader) {
    Stories stories;
    while (reader.read(stories)) {
    }
    return stories;
}

}  // namespace

std::string lower_case_ending(const std::string& path) {
    std::string ending = std::filesystem::path(path).extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(),
                   [](char c) { return 'A' <= c && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return ending;
}

StoryReader::StoryReader(const std::string& path, TextPieces pieces)
    : path_(path), pieces_(std::move(pieces)), format_(format_of(path)) {}

StoryReader::StoryReader(const std::string& path, size_t block)
    : StoryReader(path, TextPieces(path, block)) {}

StoryReader::StoryReader(std::string_view bytes, const std::string& path)
    : StoryReader(path, TextPieces(bytes, path)) {}

StoryReader::~StoryReader() = default;

bool StoryReader::read(std::vector<Story>& stories) {
    const auto border = [this](std::string_view bytes) { return format_->border(bytes); };
    if (!pieces_.next(border)) {
        check(!empty_, "'{}' holds no story", path_);
        return false;
    }
    const size_t before = stories.size();
    format_->parse(pieces_, stories);
    const auto begin = stories.begin() + ptrdiff_t(before);
    stories.erase(std::remove_if(begin, stories.end(),
                                 [](const Story& story) { return is_blank(story.text); }),
                  stories.end());
    if (stories.size() > before && empty_) {
        domain_ = domain_of(path_);
        empty_ = false;
    }
    for (size_t i = before; i < stories.size(); ++i) {
        if (stories[i].domain.empty()) {
            stories[i].domain = domain_;
        }
    }
    return true;
}

std::vector<Story> read_stories(const std::string& path) {
    return all_stories(StoryReader(path));
}

std::vector<Story> parse_stories(std::string_view bytes, const std::string& path) {
    return all_stories(StoryReader(bytes, path));
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
