// Lists, the edit distance behind "did you mean", and bytes made fit for a terminal. It runs once a
// message, so nothing here is made fast.
// Read next: utf8.cpp, which tells characters from other bytes.
#include "core/text.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "core/utf8.h"

namespace smoe {

std::string join(const std::vector<std::string>& words, const std::string& separator) {
    std::string text;
    for (size_t i = 0; i < words.size(); ++i) {
        text += (i > 0 ? separator : "") + words[i];
    }
    return text;
}

std::string nearest_name(const std::string& name, const std::vector<std::string>& candidates) {
    std::string best;
    size_t best_distance = std::max<size_t>(2, name.size() / 3) + 1;
    for (const std::string& candidate : candidates) {
        // Levenshtein distance, one row of the table at a time.
        std::vector<size_t> row(candidate.size() + 1);
        for (size_t j = 0; j < row.size(); ++j) {
            row[j] = j;
        }
        for (size_t i = 1; i <= name.size(); ++i) {
            size_t diagonal = std::exchange(row[0], i);
            for (size_t j = 1; j < row.size(); ++j) {
                const size_t replaced = diagonal + (name[i - 1] != candidate[j - 1]);
                diagonal = row[j];
                row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
            }
        }
        if (row.back() < best_distance) {
            best_distance = row.back();
            best = candidate;
        }
    }
    return best;
}

std::string to_valid_utf8(std::string_view text) {
    std::string valid;
    while (!text.empty()) {
        const size_t whole = valid_utf8_prefix(text);
        valid += text.substr(0, whole);
        text.remove_prefix(whole);
        if (!text.empty()) {
            valid += "\xEF\xBF\xBD";
            text.remove_prefix(1);
        }
    }
    return valid;
}

namespace {

// The code point of the character that valid UTF-8 begins with, and its bytes.
std::pair<char32_t, size_t> first_character(std::string_view text) {
    const uint8_t lead = uint8_t(text[0]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t code = length == 1 ? lead : lead & (0x7F >> length);
    for (size_t i = 1; i < length; ++i) {
        code = code << 6 | (uint8_t(text[i]) & 0x3F);
    }
    return {code, length};
}

// Default_Ignorable_Code_Point of Unicode 15, the separators of lines and paragraphs (U+2028,
// U+2029) and the anchors of annotations (U+FFF9 to U+FFFB).
bool is_invisible(char32_t code) {
    constexpr char32_t ranges[][2] = {{0xAD, 0xAD},       {0x34F, 0x34F},    {0x61C, 0x61C},
                                      {0x115F, 0x1160},   {0x17B4, 0x17B5},  {0x180B, 0x180F},
                                      {0x200B, 0x200F},   {0x2028, 0x202E},  {0x2060, 0x206F},
                                      {0x3164, 0x3164},   {0xFE00, 0xFE0F},  {0xFEFF, 0xFEFF},
                                      {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},  {0x1BCA0, 0x1BCA3},
                                      {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};
    return std::any_of(std::begin(ranges), std::end(ranges),
                       [code](const auto& range) { return range[0] <= code && code <= range[1]; });
}

}  // namespace

std::string without_controls(std::string_view text, std::string_view kept) {
    const std::string valid = to_valid_utf8(text);
    std::string seen;
    for (size_t i = 0; i < valid.size();) {
        const auto [code, length] = first_character(std::string_view(valid).substr(i));
        const std::string_view character = std::string_view(valid).substr(i, length);
        if (kept.find(character) != kept.npos) {
            seen += character;
        } else if (code < ' ' || (code >= 0x7F && code < 0xA0)) {
            seen += ' ';
        } else {
            seen += is_invisible(code) ? "\xEF\xBF\xBD" : character;
        }
        i += length;
    }
    return seen;
}

std::string csv_cell(const std::string& text) {
    if (text.find_first_of(",\"\n\r") == text.npos) {
        return text;
    }
    std::string quoted = "\"";
    for (const char c : text) {
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    }
    return quoted + "\"";
}

std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : to_one_line(text)) {
        result += c == '&'   ? "&amp;"
                  : c == '<' ? "&lt;"
                  : c == '>' ? "&gt;"
                  : c == '"' ? "&quot;"
                             : std::string(1, c);
    }
    return result;
}

}  // namespace smoe
