// Cutting batches, and the bookkeeping of the tree. It knows no numbers: whoever adds them is told
// when.
// Read next: learner.cpp.
#include "models/training/shards.h"

#include <algorithm>
#include <numeric>

#include "core/check.h"
#include "core/processes.h"

namespace smoe {

std::vector<std::vector<int64_t>> cut_into_shards(const Dataset& data,
                                                  std::span<const int64_t> sequences,
                                                  int64_t shards) {
    // The longest sequence first, and always to the shard that has the fewest tokens so far (Graham,
    // "Bounds on Multiprocessing Timing Anomalies", 1969).
    std::vector<size_t> places(sequences.size());
    std::iota(places.begin(), places.end(), size_t(0));
    std::stable_sort(places.begin(), places.end(), [&](size_t a, size_t b) {
        return data.tokens_of(sequences[a]) > data.tokens_of(sequences[b]);
    });
    std::vector<std::vector<size_t>> chosen(static_cast<size_t>(shards));
    std::vector<int64_t> tokens(static_cast<size_t>(shards));
    for (const size_t place : places) {
        const auto fewest = std::min_element(tokens.begin(), tokens.end());
        *fewest += data.tokens_of(sequences[place]);
        chosen[size_t(fewest - tokens.begin())].push_back(place);
    }
    std::vector<std::vector<int64_t>> result;
    for (std::vector<size_t>& of_shard : chosen) {
        std::sort(of_shard.begin(), of_shard.end());
        std::vector<int64_t>& numbers = result.emplace_back();
        for (const size_t place : of_shard) {
            numbers.push_back(sequences[place]);
        }
    }
    return result;
}

ShardRange shards_of(int64_t shards, int rank, int processes) {
    return {.begin = shards * rank / processes, .end = shards * (rank + 1) / processes};
}

void require_shards(int64_t shards) {
    check(
        process_count() <= shards,
        "{} processes were started, but a batch is cut into {}, so some would have nothing to do: "
        "start at most as many, or begin the run with --shards {}",
        process_count(), shards, process_count());
}

int TreeSum::push(TreeNode node) {
    int additions = 0;
    while (true) {
        const bool is_left = node.index % 2 == 0;
        const int64_t next = (node.index + 1) << node.level;  // the first shard to its right
        if (is_left && next >= shards_ && node.index > 0) {
            node = {node.level + 1, node.index / 2};  // there is nothing to its right
        } else if (!is_left && !nodes_.empty() &&
                   nodes_.back() == TreeNode{node.level, node.index - 1}) {
            nodes_.pop_back();
            node = {node.level + 1, node.index / 2};
            ++additions;
        } else {
            nodes_.push_back(node);
            return additions;
        }
    }
}

bool TreeSum::complete() const {
    return !nodes_.empty() && nodes_.front().index == 0 &&
           int64_t(1) << nodes_.front().level >= shards_;
}

std::vector<TreeNode> nodes_of(ShardRange range, int64_t shards) {
    TreeSum sum(shards);
    for (int64_t shard = range.begin; shard < range.end; ++shard) {
        sum.push({0, shard});
    }
    return sum.nodes();
}

}  // namespace smoe
