// Values separated by commas as RFC 4180 has them, or by tabs under the same rules: fields in
// quotes may hold separators, line ends and doubled quotes. Lines end in LF, CRLF or CR; blank
// lines between records are skipped; bytes inside a field are never changed. It does not guess:
// there are no other separators, no types and no repair of broken quotes.
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
    // Reads from `bytes`, which must outlive the reader; `separator` is a comma or a tab, `origin`
    // the path for messages, `line` the number of the first line.
    CsvReader(std::string_view bytes, char separator, const std::string& origin, int64_t line = 1)
        : rest_(bytes), separator_(separator), origin_(origin), line_(line), record_line_(line) {}

    // The fields of the next record; false at the end. Throws Error, naming the line, for an
    // unclosed quote, a quote inside an unquoted field, or text after a closing quote.
    bool next(std::vector<std::string>& fields);

    // Where the last record began; at the end, the line that would be next.
    int64_t line() const { return record_line_; }

  private:
    bool take_line_end();
    std::string take_field();
    std::string take_quoted();

    std::string_view rest_;  // not yet read
    char separator_;
    std::string origin_;
    int64_t line_, record_line_;
};

// The length of the longest beginning of `bytes` that is made of whole records, as far as can be
// told when more may follow. Where quotes are broken, so is the file: next() says so.
size_t whole_rows(std::string_view bytes, char separator);

}  // namespace smoe
