// Exercise: a random test that finds mistakes nobody thought of. ExpertGroups in autograd/ops.h
// sorts the rows of a batch by expert. Its laws, for experts (N) of K experts:
//     rows holds each of 0 .. N-1 once; begin has K + 1 numbers, from 0 to N, and none falls;
//     rows[begin[e]] .. rows[begin[e + 1] - 1] have expert e, and they rise
// Write a test of any function that claims to do this: call it on random experts, and return false
// if a law is broken, true if none ever is. Each of the wrong ones below is right for most experts,
// so draw sizes as well, and mind the ends: no rows, many rows, one expert, experts without rows.
// Level 3 of 3, about 60 minutes, after tests_slope. Two hints are at the end.
#include <algorithm>
#include <functional>
#include <map>
#include <string>

#include "autograd/ops.h"
#include "tests/exercises/exercise.h"

using Group =
    std::function<smoe::ExpertGroups(const std::vector<int32_t>& experts, int64_t num_experts)>;

bool keeps_the_laws(const Group& group);

using namespace smoe;

namespace {

using Experts = std::vector<int32_t>;

ExpertGroups right(const Experts& experts, int64_t num_experts) {
    return {experts, num_experts};
}

// The right groups, changed by `damage`.
Group damaged(const std::function<void(ExpertGroups&, const Experts&)>& damage) {
    return [damage](const Experts& experts, int64_t num_experts) {
        ExpertGroups groups(experts, num_experts);
        damage(groups, experts);
        return groups;
    };
}

const std::map<std::string, Group> wrong = {
    {"loses the last row", damaged([](ExpertGroups& g, const Experts&) {
         if (!g.rows.empty()) {
             g.rows.pop_back();
         }
     })},
    {"has a row twice and another one never", damaged([](ExpertGroups& g, const Experts& experts) {
         if (g.rows.size() > 1 && experts[size_t(g.rows[0])] == experts[size_t(g.rows[1])]) {
             g.rows[1] = g.rows[0];
         }
     })},
    {"says 0 for the beginning of an expert without rows",
     damaged([](ExpertGroups& g, const Experts&) {
         for (size_t e = 0; e + 1 < g.begin.size(); ++e) {
             g.begin[e] = g.begin[e] == g.begin[e + 1] ? 0 : g.begin[e];
         }
     })},
    {"forgets the end if the last expert has no rows", damaged([](ExpertGroups& g, const Experts&) {
         if (g.begin.end()[-1] == g.begin.end()[-2]) {
             g.begin.pop_back();
         }
     })},
    {"sorts large batches so that equals change places",
     damaged([](ExpertGroups& g, const Experts& experts) {
         if (experts.size() > 64) {
             std::reverse(g.rows.begin() + g.begin[0], g.rows.begin() + g.begin[1]);
         }
     })},
    {"counts in eight bits", damaged([](ExpertGroups& g, const Experts&) {
         int64_t dropped = 0;
         for (size_t e = 0; e + 1 < g.begin.size(); ++e) {
             const int64_t count = g.begin[e + 1] - (g.begin[e] + dropped);
             dropped += count >= 256 ? 256 : 0;
             g.begin[e + 1] -= dropped;
         }
     })},
    {"swaps two rows across a border", damaged([](ExpertGroups& g, const Experts&) {
         const int64_t border = g.begin[1];
         if (border > 0 && border < int64_t(g.rows.size())) {
             std::swap(g.rows[size_t(border - 1)], g.rows[size_t(border)]);
         }
     })},
    {"has no table for an empty batch", damaged([](ExpertGroups& g, const Experts& experts) {
         if (experts.empty()) {
             g.begin.clear();
         }
     })},
    {"counts one row too many for an expert that is alone",
     damaged([](ExpertGroups& g, const Experts&) {
         if (g.begin.size() == 2) {
             g.begin[1] += 1;
         }
     })},
};

}  // namespace

TEST_CASE("keeps_the_laws: the right function does") {
    CHECK(keeps_the_laws(right));
    CHECK(
        keeps_the_laws([](const Experts& experts, int64_t num_experts) {  // slow, and right as well
            ExpertGroups groups({}, num_experts);
            for (int64_t e = 0; e < num_experts; ++e) {
                for (size_t n = 0; n < experts.size(); ++n) {
                    if (experts[n] == e) {
                        groups.rows.push_back(int32_t(n));
                    }
                }
                groups.begin[size_t(e + 1)] = int64_t(groups.rows.size());
            }
            return groups;
        }));
}

TEST_CASE("keeps_the_laws: each planted mistake is found") {
    for (const auto& mistake : wrong) {
        CAPTURE(mistake.first);
        CHECK(!keeps_the_laws(mistake.second));
    }
}

// Hint 1: write the laws as a function of groups and experts that returns false for the first one
// that is broken; then draw: sizes from 0 to a few thousand, and K from 1 to about 12.
// Hint 2: let sizes have all orders of magnitude (below 2^k for a random k), and use only the first
// few of the K experts in many draws, so that the last ones have no rows.
