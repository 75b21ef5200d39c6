// StopStrings: of two that overlap, the one that is complete first ends the text, as if the text came
// byte by byte.
// Read next: tests/models/generation/stop_strings_test.cpp.
#include "models/generation/stop_strings.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace smoe {

StopStrings::StopStrings(std::vector<std::string> stops) : stops_(std::move(stops)) {
    check(stops_.size() <= most, "stop: at most {} stop strings are looked for, found {}", most,
          stops_.size());
    for (const std::string& stop : stops_) {
        check(!stop.empty(), "stop: '' would end every text before it begins");
        check(stop.size() <= longest, "stop: a stop string has at most {} bytes, found {}", longest,
              stop.size());
    }
}

std::string StopStrings::add(std::string_view bytes) {
    if (stopped()) {
        return "";
    }
    pending_ += bytes;
    size_t first_end = std::string::npos;
    for (const std::string& stop : stops_) {
        const size_t at = pending_.find(stop);
        if (at == std::string::npos) {
            continue;
        }
        const size_t end = at + stop.size();
        if (end < first_end || (end == first_end && stop.size() > found_.size())) {
            first_end = end;
            found_ = stop;
        }
    }
    if (stopped()) {
        pending_.resize(first_end - found_.size());
        return std::exchange(pending_, "");
    }
    // The longest end of it that is the beginning of a stop string.
    size_t held = 0;
    for (const std::string& stop : stops_) {
        size_t length = std::min(stop.size() - 1, pending_.size());
        while (!pending_.ends_with(std::string_view(stop).substr(0, length))) {
            --length;
        }
        held = std::max(held, length);
    }
    const std::string text = pending_.substr(0, pending_.size() - held);
    pending_.erase(0, text.size());
    return text;
}

std::string StopStrings::finish() {
    return std::exchange(pending_, "");
}

}  // namespace smoe
