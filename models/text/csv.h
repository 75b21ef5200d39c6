// Comma-separated values as RFC 4180 has them: fields in quotes may hold commas, line ends and
// doubled quotes. Lines end in LF or CRLF; blank lines between records are skipped; bytes inside a
// field are never changed.
// Refuses to guess: no other separators, no types, no repair of broken quotes.
//
// Read next: story_reader.h, the only user.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace smoe {

class CsvReader {
  public:
    // Reads from `bytes`, which must outlive the reader; `origin` is the path for messages.
    CsvReader(std::string_view bytes, const std::string& origin) : rest_(bytes), origin_(origin) {}

    // The fields of the next record; false at the end. Throws Error naming the line of an unclosed
    // quote, of a quote inside an unquoted field and of text after a closing quote.
    bool next(std::vector<std::string>& fields);

    int64_t line() const { return record_line_; }  // where the last record began, counted from 1

  private:
    bool take_line_end();
    std::string take_field();
    std::string take_quoted();

    std::string_view rest_;  // not yet read
    std::string origin_;
    int64_t line_ = 1, record_line_ = 1;
};

}  // namespace smoe
