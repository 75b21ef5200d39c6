// What a registry asks of names, whatever its entries are.
// Read next: text.cpp.
#include "core/registry.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace smoe {

void check_entry_name(const std::string& kind, const std::string& name) {
    const auto small = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto fits = [&](char c) {
        return small(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    check(!name.empty() && small(name[0]) && std::all_of(name.begin(), name.end(), fits),
          "the name of a {} must begin with a small letter and go on with small letters, digits, _ "
          "and -, found '{}'",
          kind, to_one_line(name));
}

NameAndNumber split_number(const std::string& kind, const std::string& text) {
    const size_t colon = text.find(':');
    if (colon == text.npos) {
        return {text, std::nullopt};
    }
    const std::string digits = text.substr(colon + 1);
    char* end = nullptr;
    const double number = std::strtod(digits.c_str(), &end);
    // strtod also takes blanks, "inf" and hexadecimal digits.
    check(!digits.empty() && digits.find_first_not_of("0123456789.eE+-") == digits.npos &&
              end == digits.c_str() + digits.size() && std::isfinite(number),
          "the name of a {} may be followed by a colon and a number, as in {}:0.25; found '{}'",
          kind, to_one_line(text.substr(0, colon)), to_one_line(text));
    return {text.substr(0, colon), number};
}

}  // namespace smoe
