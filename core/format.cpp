// Digits, and what goes between them. The machine's locale is never asked, so output looks the same
// everywhere.
// Read next: tests/core/format_test.cpp.
#include "core/format.h"

#include <fmt/core.h>

#include <array>
#include <cmath>

namespace smoe {

std::string format_duration(double seconds) {
    if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e9) {
        return "?";
    }
    const int64_t total = std::llround(seconds);
    const int64_t hours = total / 3600, minutes = total / 60 % 60;
    return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, total % 60)
                     : fmt::format("{}:{:02}", minutes, total % 60);
}

std::string format_bytes(int64_t bytes) {
    constexpr std::array<const char*, 5> units = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = double(bytes);
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit) {
        value /= 1024;
    }
    return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string format_count(int64_t count) {
    std::string digits = fmt::format("{}", count);
    for (int64_t at = int64_t(digits.size()) - 3; at > (count < 0 ? 1 : 0); at -= 3) {
        digits.insert(size_t(at), 1, ',');
    }
    return digits;
}

std::string format_large(double count) {
    constexpr std::array<const char*, 7> units = {"", " k", " M", " G", " T", " P", " E"};
    if (!std::isfinite(count) || count < 0 || count >= 1e21) {
        return "?";
    }
    size_t unit = 0;
    while (count >= 999.5 && unit + 1 < units.size()) {  // 999.5 would be shown as 1e+03
        count /= 1000;
        ++unit;
    }
    return fmt::format("{:.3g}{}", count, units[unit]);
}

}  // namespace smoe
