// Sequences: one pass over the borders, which also gives each row its position.
// Read next: tensor.h.
#include "core/sequences.h"

#include <algorithm>

#include "core/check.h"

namespace smoe {

Sequences::Sequences(std::vector<int32_t> tokens, std::vector<int64_t> offsets,
                     std::vector<std::string> domains) {
    const int64_t N = int64_t(tokens.size());
    check(!offsets.empty() && offsets.front() == 0 && offsets.back() == N,
          "sequences: the offsets must go from 0 to {}, found {}", N,
          offsets.empty() ? "none" : fmt::format("{} to {}", offsets.front(), offsets.back()));
    for (size_t b = 0; b + 1 < offsets.size(); ++b) {
        check(offsets[b] <= offsets[b + 1],
              "sequences: the offsets must not fall, found {} then {}", offsets[b], offsets[b + 1]);
    }
    check(domains.empty() || domains.size() + 1 == offsets.size(),
          "sequences: expected a domain for each of {} sequences, found {}", offsets.size() - 1,
          domains.size());
    auto numbers = std::make_shared<Numbers>();
    numbers->positions.reserve(tokens.size());
    for (size_t b = 0; b + 1 < offsets.size(); ++b) {
        const int64_t length = offsets[b + 1] - offsets[b];
        for (int64_t t = 0; t < length; ++t) {
            numbers->positions.push_back(int32_t(t));
        }
        numbers->longest = std::max(numbers->longest, length);
    }
    numbers->tokens = std::move(tokens);
    numbers->offsets = std::move(offsets);
    numbers->domains = std::move(domains);
    numbers_ = std::move(numbers);
}

Sequences Sequences::of(std::vector<int32_t> tokens) {
    const int64_t N = int64_t(tokens.size());
    return Sequences(std::move(tokens), {0, N});
}

Sequences Sequences::only(int64_t b) const {
    check(b >= 0 && b < count(), "sequences: no sequence {} among {}", b, count());
    const auto begin = tokens().begin() + offsets()[size_t(b)];
    const auto end = tokens().begin() + offsets()[size_t(b) + 1];
    return Sequences({begin, end}, {0, end - begin},
                     domains().empty() ? std::vector<std::string>()
                                       : std::vector<std::string>{domains()[size_t(b)]});
}

}  // namespace smoe
