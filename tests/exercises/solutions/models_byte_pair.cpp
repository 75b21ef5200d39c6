// One solution of the exercise models_byte_pair.cpp; write your own first.
// Read next: tests/exercises/models_byte_pair.cpp, its test.
#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "models/text/bpe.h"

std::vector<smoe::Merge> slow_merges(std::span<const std::string_view> stories, int count) {
    std::array<int32_t, 256> id_of = {};
    for (int32_t id = 0; id < 256; ++id) {
        id_of[smoe::bytes_in_id_order()[size_t(id)]] = id;
    }
    std::vector<std::vector<int32_t>> rows;
    for (const std::string_view story : stories) {
        rows.emplace_back();
        for (const char byte : story) {
            rows.back().push_back(id_of[uint8_t(byte)]);
        }
    }
    std::vector<smoe::Merge> merges;
    while (int(merges.size()) < count) {
        std::map<std::pair<int32_t, int32_t>, int64_t> counts;  // sorted by left id, then right id
        for (const std::vector<int32_t>& row : rows) {
            for (size_t i = 1; i < row.size(); ++i) {
                ++counts[{row[i - 1], row[i]}];
            }
        }
        // The first of the largest.
        const auto best = std::ranges::max_element(
            counts, {}, [](const auto& pair_and_count) { return pair_and_count.second; });
        if (best == counts.end() || best->second < 2) {
            break;
        }
        const auto [left, right] = best->first;
        merges.push_back({left, right, int32_t(256 + merges.size())});
        for (std::vector<int32_t>& row : rows) {
            std::vector<int32_t> joined;
            for (size_t i = 0; i < row.size(); ++i) {
                const bool both = row[i] == left && i + 1 < row.size() && row[i + 1] == right;
                joined.push_back(both ? merges.back().merged : row[i]);
                i += both;
            }
            row = joined;
        }
    }
    return merges;
}
