// Fills the filter with every place inside every entry, told by the bytes around it. The table has
// 32 slots for each byte of an entry, so that few places are taken for crossed by mistake.
// Read next: tokenizer.cpp.
#include "models/text/crossings.h"

namespace smoe {

Crossings::Crossings(std::span<const std::string> entries) {
    constexpr size_t slots_per_byte = 32;
    size_t total = 0;
    for (const std::string& entry : entries) {
        total += entry.size();
    }
    while (size_t(1) << (64 - shift_) < slots_per_byte * total) {
        --shift_;
    }
    windows_.resize(size_t(1) << (64 - shift_));
    const std::string margin(reach, '\0');
    for (const std::string& entry : entries) {
        const std::string padded = margin + entry + margin;
        for (size_t at = 1; at < entry.size(); ++at) {
            windows_[slot(around(&padded[reach + at]), std::min(at, reach),
                          std::min(entry.size() - at, reach))] = true;
        }
    }
}

}  // namespace smoe
