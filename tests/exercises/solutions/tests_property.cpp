// One solution of the exercise tests_property.cpp; write your own first.
// Read next: tests/exercises/tests_property.cpp, its test.
#include <algorithm>
#include <functional>

#include "autograd/ops.h"
#include "core/rng.h"

namespace {

using namespace smoe;

bool lawful(const ExpertGroups& groups, const std::vector<int32_t>& experts, int64_t num_experts) {
    const int64_t N = int64_t(experts.size());
    const std::vector<int64_t>& begin = groups.begin;
    if (int64_t(groups.rows.size()) != N || int64_t(begin.size()) != num_experts + 1 ||
        begin[0] != 0 || begin.back() != N || !std::ranges::is_sorted(begin)) {
        return false;
    }
    // N rows that rise in each group and have its expert: then each is there once.
    for (int64_t e = 0; e < num_experts; ++e) {
        for (int64_t i = begin[size_t(e)]; i < begin[size_t(e + 1)]; ++i) {
            const int32_t row = groups.rows[size_t(i)];
            if (row < 0 || row >= N || experts[size_t(row)] != e ||
                (i > begin[size_t(e)] && row <= groups.rows[size_t(i - 1)])) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace

bool keeps_the_laws(
    const std::function<ExpertGroups(const std::vector<int32_t>&, int64_t)>& group) {
    Rng rng(1);
    for (int trial = 0; trial < 500; ++trial) {
        // Sizes of all orders of magnitude; experts of some of the experts only.
        const int64_t num_experts = 1 + int64_t(rng.below(12));
        std::vector<int32_t> experts(rng.below(uint64_t(1) << rng.below(12)));
        const uint64_t used = 1 + rng.below(uint64_t(num_experts));
        for (int32_t& expert : experts) {
            expert = int32_t(rng.below(used));
        }
        if (!lawful(group(experts, num_experts), experts, num_experts)) {
            return false;
        }
    }
    return true;
}
