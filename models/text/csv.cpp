// One pass over the bytes, a field at a time. It counts lines on the way, so that a message can
// name one.
// Read next: story_reader.cpp.
#include "models/text/csv.h"

#include <algorithm>

#include "core/check.h"
#include "models/text/line_ends.h"

namespace smoe {

bool CsvReader::next(std::vector<std::string>& fields) {
    fields.clear();
    while (take_line_end()) {
    }
    record_line_ = line_;
    if (rest_.empty()) {
        return false;
    }
    fields.push_back(take_field());
    while (rest_.starts_with(separator_)) {
        rest_.remove_prefix(1);
        fields.push_back(take_field());
    }
    check(rest_.empty() || take_line_end(),
          "'{}' line {}: a {} or a line end must follow a closing quote; write a quote inside a "
          "text as two",
          origin_, line_, separator_ == ',' ? "comma" : "tab");
    return true;
}

bool CsvReader::take_line_end() {
    const size_t length = line_end_length(rest_);
    rest_.remove_prefix(length);
    line_ += length > 0;
    return length > 0;
}

std::string CsvReader::take_field() {
    if (rest_.starts_with('"')) {
        return take_quoted();
    }
    const auto end = std::find_if(rest_.begin(), rest_.end(), [this](char c) {
        return c == separator_ || c == '\n' || c == '\r';
    });
    const std::string_view field = rest_.substr(0, size_t(end - rest_.begin()));
    check(field.find('"') == field.npos,
          "'{}' line {}: a quote stands inside a field that does not begin with one; put the whole "
          "field in quotes and double the quote",
          origin_, line_);
    rest_.remove_prefix(field.size());
    return std::string(field);
}

std::string CsvReader::take_quoted() {
    const int64_t opened = line_;
    std::string field;
    do {
        rest_.remove_prefix(1);  // the opening quote, or the second of two
        const size_t length = rest_.find('"');
        check(length != rest_.npos, "'{}' line {}: the quote that opens here is never closed",
              origin_, opened);
        const std::string_view part = rest_.substr(0, length);
        line_ += line_at(part, part.size()) - 1;
        field += part;
        rest_.remove_prefix(length + 1);
        if (rest_.starts_with('"')) {
            field += '"';
        }
    } while (rest_.starts_with('"'));
    return field;
}

size_t whole_rows(std::string_view bytes, char separator) {
    size_t whole = 0;
    bool field_begins = true, is_quoted = false, in_quotes = false;
    for (size_t i = 0; i + 1 < bytes.size(); ++i) {  // what a last byte means, the next one says
        if (in_quotes) {
            in_quotes = bytes[i] != '"';
        } else if (bytes[i] == '"') {
            is_quoted = field_begins || is_quoted;
            // The second of two opens again what the first has closed.
            in_quotes = field_begins || (is_quoted && bytes[i - 1] == '"');
        } else if (bytes[i] == '\n' || (bytes[i] == '\r' && bytes[i + 1] != '\n')) {
            whole = i + 1;
        }
        field_begins =
            !in_quotes && (bytes[i] == separator || bytes[i] == '\n' || bytes[i] == '\r');
        is_quoted = is_quoted && !field_begins;
    }
    return whole;
}

}  // namespace smoe
