// A batch cut into shards, each of which is learned from by itself, and the tree in which their
// gradients are added. Both depend on the number of shards alone, not on how many processes share
// them. So 1, 2 and N processes give the same bits, and one process can learn from a batch that would
// not fit into its memory at once.
//
//     shards   0   1   2   3   4        process 0 of 2 has shards 0 and 1, process 1 the others
//               \ /     \ /   |
//                +       +    |         a node covers 2^level shards; one without a right
//                 \     /     |         neighbour is handed up as it is
//                    +        |
//                      \     /
//                         +
//
// Read next: learner.h, which adds gradients along this tree.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/text/dataset.h"

namespace smoe {

// `sequences` of `data` in S groups of about as many tokens each; in a group they stay in order. If
// there are fewer than S, some groups are empty.
std::vector<std::vector<int64_t>> cut_into_shards(const Dataset& data,
                                                  std::span<const int64_t> sequences,
                                                  int64_t shards);

struct ShardRange {
    int64_t begin = 0, end = 0;

    int64_t size() const { return end - begin; }
};
// Those of process `rank` out of `processes`. Each has at least one if there are enough.
ShardRange shards_of(int64_t shards, int rank, int processes);

// Throws Error unless every process has one.
void require_shards(int64_t shards);

// A node of the tree over S shards: the sum of shards index * 2^level to (index + 1) * 2^level - 1,
// as far as they exist.
struct TreeNode {
    int64_t level = 0, index = 0;

    bool operator==(const TreeNode&) const = default;
};

// Grows sums from left to right. The values lie with the caller, one for each node of nodes(), on a
// stack: push() says how often its two topmost values are to be added into one.
class TreeSum {
  public:
    explicit TreeSum(int64_t shards) : shards_(shards) {}

    // The value on top is now that of `node`. Returns how many additions follow, each of the value
    // below the top to the top.
    int push(TreeNode node);

    // From left to right. When all shards are in, the root alone.
    const std::vector<TreeNode>& nodes() const { return nodes_; }
    bool complete() const;  // all shards are in

  private:
    int64_t shards_;
    std::vector<TreeNode> nodes_;
};

// The nodes that are left when a process has added up what it can of its shards.
std::vector<TreeNode> nodes_of(ShardRange range, int64_t shards);

}  // namespace smoe
