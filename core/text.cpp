// Lists, the edit distance behind "did you mean", and bytes made fit for a terminal. Runs once a
// message, so nothing here is made fast.
// Read next: utf8.cpp, which tells characters from other bytes.
#include "core/text.h"

#include <algorithm>
#include <cstdint>
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

std::string without_controls(std::string_view text, std::string_view kept) {
    std::string line = to_valid_utf8(text);
    for (size_t i = 0; i < line.size(); ++i) {
        const uint8_t c = uint8_t(line[i]);
        if ((c < ' ' || c == 0x7F) && kept.find(line[i]) == kept.npos) {
            line[i] = ' ';
        } else if (c == 0xC2 && uint8_t(line[i + 1]) < 0xA0) {  // U+0080 to U+009F
            line.replace(i, 2, " ");
        }
    }
    return line;
}

}  // namespace smoe
