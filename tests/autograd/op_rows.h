// What the rows of the table of ops are built from, and the rows that have their own files. Only
// these files use it.
// Read next: op_table.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "core/rng.h"
#include "tests/autograd/op_table.h"

namespace smoe {

using Variables = std::vector<Variable>;
using Tensors = std::vector<Tensor>;

// For ops that take any shape.
inline const std::vector<Shape> any_shapes = {{},      {1},       {5},          {1, 1},
                                              {3, 17}, {2, 3, 4}, {2, 1, 3, 2}, {0, 4}};
inline const Shape many = {3, 16411};  // over three chunks of element-wise work, the last one short

// For ops that work on rows: small, to check every element, and cut into several chunks of work.
inline const std::vector<Shape> matrices = {{1, 1},  {1, 7},    {6, 1}, {3, 5},
                                            {2, 33}, {2, 2, 6}, {0, 3}};
inline const Shape many_rows = {700, 77};

// Gives the same numbers for the same size and salt.
inline Tensor filled(const Shape& shape, uint64_t salt = 0) {
    return random_tensor(shape, 10 * uint64_t(shape.numel()) + salt);
}

// An argument for a call that must be refused for its shape.
inline Variable wrong(const Shape& shape) {
    return Variable(Tensor::zeros(shape));
}

// `count` numbers in [0, range).
inline std::vector<int32_t> random_ids(int64_t count, int64_t range) {
    Rng rng(99, uint64_t(range));
    std::vector<int32_t> ids(static_cast<size_t>(count));
    for (int32_t& id : ids) {
        id = int32_t(rng.below(uint64_t(range)));
    }
    return ids;
}

std::vector<OpRow> elementwise_rows();  // op_table_elementwise.cpp
std::vector<OpRow> layout_rows();       // op_table_layout.cpp
std::vector<OpRow> transformer_rows();  // op_table_transformer.cpp

}  // namespace smoe
