// What processes send each other of their gradients: the parameters are cut into buckets, and every
// bucket into a piece for each process, its owner. All send their sums of a piece to the owner, who
// adds them along the tree. A bucket goes as soon as backward has completed it, last layers first, so
// that messages travel while earlier layers are computed.
//
// In bfloat16 half as many bytes travel. Then every node of the tree below the root is rounded, those
// that no other process needs, too: so the bits still do not depend on how many processes there are.
// Read next: learner.h, which owns what comes out.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/precision.h"
#include "core/processes.h"
#include "core/tensor.h"
#include "models/training/shards.h"

namespace smoe {

// Parameters [begin, end) of the flat buffer.
struct Piece {
    int64_t begin = 0, end = 0;

    int64_t size() const { return end - begin; }
};

// The pieces of each process, [bucket][rank]. Buckets go from the last parameters to the first, as
// backward does, and hold 2^20 numbers or more. Borders depend on the sizes alone.
std::vector<std::vector<Piece>> cut_into_pieces(int64_t parameters, int processes);

void add_to(std::span<real> to, std::span<const real> from);  // to += from
std::span<real> part(const Tensor& flat, Piece piece);
// A node below the root, as it can be sent.
void round_node(std::span<real> sum, Precision exchange);

class GradientExchange {
  public:
    // sums[i] (P) are this process's gradients of node i of the tree, from left to right; the last one
    // is that of its last shard, which is not complete yet, and to which the `additions` before it
    // are to be added. own (as long as the own pieces) gets the sum over all shards. The caller may
    // change none of it meanwhile, but for gradients that complete; afterwards, sums are used up, and
    // the last is 0. Its pages leave the process bucket by bucket, so gradients are never all there.
    GradientExchange(const std::vector<std::vector<Piece>>& pieces, int64_t shards,
                     std::vector<Tensor> sums, int additions, Tensor own, Precision exchange,
                     int channel);

    // Gradients of the last shard are complete in this piece. Each parameter is told of once at most.
    void complete(Piece piece);
    // All are complete: returns when `own` holds the sums.
    void finish();

  private:
    struct Bucket {
        int64_t incomplete = 0;  // parameters
        int64_t place = 0;       // of the own piece in own_
        Tensor values{};  // (nodes of all processes, own piece), while messages are under way
        std::unique_ptr<Transfer> transfer{};
    };
    void start(size_t bucket);
    void start_complete();
    void collect(size_t bucket);  // when its messages have arrived

    const std::vector<std::vector<Piece>>& pieces_;
    int64_t shards_;
    std::vector<Tensor> sums_;
    int additions_;
    Tensor own_;
    Precision exchange_;
    int channel_;
    std::vector<std::vector<TreeNode>> nodes_;  // of each process
    std::vector<Bucket> buckets_;
    size_t started_ = 0, collected_ = 0;  // buckets go in order, so that all processes agree on it
};

}  // namespace smoe
