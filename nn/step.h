// What the inference steps of layers share. When text is generated, a layer gets M rows x (M, C),
// each the next position of some sequence. It computes what forward would, without recording and
// without allocating memory. Attention and feed-forward networks cut that into parts, which all
// threads work on: each is a matrix (M, C), and only their sum is the output. The norm that follows
// adds them up, since it reads every row anyway.
// Read next: attention.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor.h"

namespace smoe {

// Row m is position positions[m] of sequence slots[m], and stands for tokens[m]. Its expert is experts[m], or no_expert for
// the dense network, and weights[m] is the factor for that expert's output. Rows of one sequence
// are in its order.
struct StepRows {
    std::span<const int32_t> slots;
    std::span<const int64_t> positions;
    std::span<const int32_t> experts;
    std::span<const real> weights = {};    // none: 1
    std::span<const int32_t> tokens = {};  // where a router asks for them

    int64_t size() const { return int64_t(slots.size()); }  // M
};

// The output of a step is the sum over `count` of parts (count, M, C).
struct StepParts {
    real* data;
    int64_t count;
};

// Working memory that a layer asks for.
struct StepNeeds {
    int64_t parts = 1;
    int64_t numbers = 0, ids = 0;
};

// The layers of a model take turns with one of these: what a step leaves there is gone after the
// next.
struct StepMemory {
    Tensor parts, numbers;
    std::vector<int32_t> ids;
    // The experts and weights (M) that a block's router picks, kept until its network has run.
    std::vector<int32_t> experts;
    std::vector<real> weights;
    Tensor inputs;  // (M, C): what a network reads that gets more than x; made by whoever needs it

    // Makes room for a layer's steps of up to `rows` rows of `width` numbers, and never shrinks.
    void reserve(const StepNeeds& needs, int64_t rows, int64_t width);
};

}  // namespace smoe
