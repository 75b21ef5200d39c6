// One pass over the bytes, a field at a time; lines are counted on the way, so that a complaint can
// name one.
// Read next: story_reader.cpp.
#include "models/text/csv.h"

#include <algorithm>

#include "core/check.h"

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
    while (rest_.starts_with(',')) {
        rest_.remove_prefix(1);
        fields.push_back(take_field());
    }
    check(rest_.empty() || take_line_end(),
          "'{}' line {}: a comma or a line end must follow a closing quote; write a quote inside a "
          "text as two",
          origin_, line_);
    return true;
}

bool CsvReader::take_line_end() {
    const size_t length = rest_.starts_with("\r\n") ? 2 : rest_.starts_with('\n') ? 1 : 0;
    rest_.remove_prefix(length);
    line_ += length > 0;
    return length > 0;
}

std::string CsvReader::take_field() {
    if (rest_.starts_with('"')) {
        return take_quoted();
    }
    // A carriage return right before the line end belongs to it, anywhere else to the field.
    size_t length = std::min(rest_.find_first_of(",\n"), rest_.size());
    if (length > 0 && length < rest_.size() && rest_[length] == '\n' && rest_[length - 1] == '\r') {
        --length;
    }
    const std::string_view field = rest_.substr(0, length);
    check(field.find('"') == field.npos,
          "'{}' line {}: a quote stands inside a field that does not begin with one; put the whole "
          "field in quotes and double the quote",
          origin_, line_);
    rest_.remove_prefix(length);
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
        line_ += std::count(part.begin(), part.end(), '\n');
        field += part;
        rest_.remove_prefix(length + 1);
        if (rest_.starts_with('"')) {
            field += '"';
        }
    } while (rest_.starts_with('"'));
    return field;
}

}  // namespace smoe
