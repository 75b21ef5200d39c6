// A minimal terminal: what people see after a program has written. It keeps logical lines and shows
// them in rows, so a resized window breaks them anew, as in most terminals. It understands line
// feeds, returns, ESC [K, ESC [2K and colours. It throws for all other controls, since the program
// must not need them. Each character is one column wide.
// Read next: tests/models/training/progress_test.cpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/check.h"

namespace smoe {

class Terminal {
  public:
    // Terminals differ in what happens once the last column is written: the next row begins with
    // the next character (`late`), or at once.
    explicit Terminal(size_t columns, bool late = true) : columns_(columns), late_(late) {}

    void resize(size_t columns) { columns_ = columns; }

    void write(std::string_view text) {
        while (!text.empty()) {
            const size_t length = text[0] == '\x1b' ? obey(text) : put(text);
            text.remove_prefix(length);
        }
    }

    // What is on the screen from the first row on, without blanks at the end of rows.
    std::vector<std::string> rows() const {
        std::vector<std::string> all;
        for (const Line& line : lines_) {
            for (size_t begin = 0; begin == 0 || begin < line.size(); begin += columns_) {
                std::string row;
                for (size_t i = begin; i < std::min(begin + columns_, line.size()); ++i) {
                    row += line[i];
                }
                all.push_back(row.substr(0, row.find_last_not_of(' ') + 1));
            }
        }
        if (began_a_row()) {
            all.emplace_back();
        }
        return all;
    }

  private:
    using Line = std::vector<std::string>;  // characters

    // Where the cursor's row begins. Behind a full row the cursor is still in that row if `late_`.
    size_t row_begin() const {
        const bool in_full_row = late_ && at_ > 0 && at_ == lines_.back().size();
        return (in_full_row ? at_ - 1 : at_) / columns_ * columns_;
    }

    bool began_a_row() const {
        return !late_ && at_ > 0 && at_ % columns_ == 0 && at_ == lines_.back().size();
    }

    size_t put(std::string_view text) {
        Line& line = lines_.back();
        if (text[0] == '\n') {
            check(row_begin() + columns_ >= line.size(),
                  "terminal: a line feed above written text");
            lines_.resize(lines_.size() + (began_a_row() ? 2 : 1));
            at_ = 0;
            return 1;
        }
        if (text[0] == '\r') {
            at_ = row_begin();
            return 1;
        }
        check(uint8_t(text[0]) >= ' ' && text[0] != '\x7F', "terminal: control {}", int(text[0]));
        size_t length = 1;
        while (length < text.size() && (uint8_t(text[length]) & 0xC0) == 0x80) {
            ++length;
        }
        line.resize(std::max(line.size(), at_ + 1), " ");
        line[at_++] = text.substr(0, length);
        return length;
    }

    size_t obey(std::string_view text) {
        const size_t end = text.find_first_not_of("0123456789;", 2);
        check(text.size() > 2 && text[1] == '[' && end != text.npos, "terminal: broken escape");
        const std::string_view number = text.substr(2, end - 2);
        const bool row = text[end] == 'K' && number == "2";
        check(text[end] == 'm' || row || (text[end] == 'K' && (number.empty() || number == "0")),
              "terminal: unknown escape '{}'", text.substr(1, end));
        if (text[end] == 'K') {
            Line& line = lines_.back();
            const size_t begin = row ? row_begin() : at_;
            for (size_t i = begin; i < std::min(row_begin() + columns_, line.size()); ++i) {
                line[i] = " ";
            }
        }
        return end + 1;
    }

    size_t columns_;
    bool late_;
    std::vector<Line> lines_ = {{}};
    size_t at_ = 0;  // the cursor's place in the last line
};

}  // namespace smoe
