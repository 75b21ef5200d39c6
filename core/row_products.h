// Matrix products in which one matrix consists of rows that stand anywhere in a larger one. A
// library wants them copied together first, and copies them again into its own order; for a result
// of 16 to 64 columns that takes as long as the product. Here rows are read and written where they
// stand. The caller cuts the work into chunks.
// Read next: autograd/ops/block_feed_forward.cpp.
#pragma once

#include <cstdint>

#include "core/matvec.h"

namespace smoe {

// Row r of the result is row ids[r] of a matrix with as many columns as the product, or row r if
// there are no ids.
struct ResultRows {
    real* matrix;
    const int32_t* ids = nullptr;
};

// Row r of y = (or += if `add`) a[r] (K) b (K, n) for the rows of a (count, K).
void multiply_by_matrix(const Rows& a, const real* b, int64_t n, bool add, const ResultRows& y);

// c (Y, X) += sum over r of a[r]^T b[r], in the order of r, for a (count, Y) and b (count, X); c
// has leading dimension ldc.
void add_outer_products(const Rows& a, const Rows& b, real* c, int64_t ldc);

}  // namespace smoe
