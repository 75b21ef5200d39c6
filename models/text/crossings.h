// Where a long word can be cut without changing its tokens. Every merge makes an entry, so no merge
// joins two bytes that no entry in the text lies across. Each piece encodes by itself; most pieces
// are short, and they repeat as words do. This is a filter: it may take a place for crossed that is
// not, but never the other way round.
//
// Read next: tokenizer.cpp, its user.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace smoe {

class Crossings {
  public:
    explicit Crossings(std::span<const std::string> entries);

    // The end of the piece of `word` that begins at `begin` < word.size(), in O(1) per byte.
    size_t piece_end(std::string_view word, size_t begin) const {
        size_t end = std::max(begin + 1, reach);
        if (end + reach > word.size()) {
            return word.size();
        }
        uint64_t bytes = around(&word[end]);
        while (may_cross(bytes)) {
            if (end + reach == word.size()) {
                return word.size();
            }
            bytes = bytes << 8 | uint8_t(word[end + reach]);
            ++end;
        }
        return end;
    }

  private:
    // How far the filter looks to either side of a place. The pieces of English text are 7.8 bytes
    // long on average with 2, 6.6 with 3, and 6.3 with an exact search.
    static constexpr size_t reach = 3;

    // The 2 * reach bytes around a place, the last one lowest.
    static uint64_t around(const char* place) {
        uint64_t bytes = 0;
        for (const char* byte = place - reach; byte < place + reach; ++byte) {
            bytes = bytes << 8 | uint8_t(*byte);
        }
        return bytes;
    }

    // The slot of windows_ for entries that show only the nearest of these bytes: `before` bytes
    // before the place and `behind` bytes behind it, fewer than `reach` where the entry begins or
    // ends.
    size_t slot(uint64_t bytes, size_t before, size_t behind) const {
        const uint64_t mask = (uint64_t(1) << 8 * (before + behind)) - 1;
        const uint64_t shown = bytes >> 8 * (reach - behind) & mask;
        return size_t((shown << 8 | before << 4 | behind) * 0x9E3779B97F4A7C15 >> shift_);
    }

    bool may_cross(uint64_t bytes) const {
        bool found = false;
        for (size_t before = 1; before <= reach; ++before) {
            for (size_t behind = 1; behind <= reach; ++behind) {
                found = found || windows_[slot(bytes, before, behind)];
            }
        }
        return found;
    }

    std::vector<bool> windows_;  // a power of two
    int shift_ = 64 - 16;        // 64 - log2(windows_.size())
};

}  // namespace smoe
