// Matrix products in which one matrix consists of rows that stand anywhere in a larger one, and the
// other is one of many small ones, such as blocks of neurons. A library wants the rows copied
// together first, and copies them again into its own order; for a result of 16 to 64 columns that
// takes as long as the product. Here, reals are read and written where they stand, and what is
// rounded to bfloat16 is rounded once for all products. The caller cuts the work into chunks; each
// product runs on the calling thread and uses its scratch 0 to 2.
// Read next: autograd/ops/block_feed_forward.cpp.
#pragma once

#include <cstdint>
#include <span>

#include "core/packed_gemm.h"
#include "core/tensor.h"

namespace smoe {

// A matrix (count, width) whose rows are picked: itself, or rounded, in pairs of bfloat16.
struct PickedRows {
    PickedRows(Precision precision, const Tensor& matrix);
    // Takes over rows first .. end - 1. To be called when they are there, before a product.
    void prepare(int64_t first, int64_t end) const;

    bool rounded;
    Tensor matrix;
    Tensor pairs;  // (count, pairs of a row), if rounded
};

// Matrices (depth, lanes): one after another, or rounded, in panels of a tile's columns.
struct SmallMatrices {
    SmallMatrices(Precision precision, int64_t count, int64_t depth, int64_t lanes);
    // Matrix m has the lanes and depths of `from`, of which one lie side by side in memory.
    void set(int64_t m, const Operand& from) const;

    bool rounded;
    int64_t depth, lanes;
    int64_t panel;   // lanes of a panel, if rounded
    Tensor numbers;  // (count, of one matrix)
};

using RowIds = std::span<const int32_t>;

// y (ids, lanes) = (the rows of a that ids names) (matrix m of b)
void multiply_rows(const PickedRows& a, RowIds ids, const SmallMatrices& b, int64_t m, real* y);

// Row ids[r] of y (.., lanes) += a[r] (matrix m of b), for a (ids, depth)
void add_products(const real* a, const SmallMatrices& b, int64_t m, RowIds ids, real* y);

// c (Y, width of b) += sum over r of a[r]^T (row ids[r] of b), in the order of r, for a (ids, Y)
void add_outer_products(const real* a, int64_t Y, const PickedRows& b, RowIds ids, real* c);

}  // namespace smoe
