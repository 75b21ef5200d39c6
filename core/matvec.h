// Products of a weight matrix with a few vectors, where reading the weights costs more than
// multiplying them. Each row of the matrix is read once, in order, and used for all vectors. Rows
// can be left out by number, so that what an expert masks is not even read. A library's matrix
// product first copies the matrix, which only pays for many vectors. The caller cuts the work into
// chunks.
// Read next: nn/masked_feed_forward.cpp, whose steps are made of it.
#pragma once

#include <cstdint>

#include "core/panels.h"
#include "core/real.h"

namespace smoe {

// Rows of a matrix with `width` columns: the `count` rows that `ids` names in rising order, or the
// first `count` if there are no ids.
struct Rows {
    const real* matrix;
    int64_t width;
    int64_t count;
    const int32_t* ids = nullptr;
    // In bfloat16 the matrix is in panels instead, made for one of the two products below, and the
    // rows are counted from row `first` on.
    Panels panels = {};
    int64_t first = 0;

    int64_t id(int64_t j) const { return ids == nullptr ? j : ids[j]; }
    const real* operator[](int64_t j) const { return matrix + id(j) * width; }
};

// Products of reals with more vectors than this go to the library, unless rows are left out.
constexpr int64_t few_vectors = 32;

// y[m * ldy + r] = x_m . row r for m in [0, M) and the given rows r; vector x_m are the rows.width
// numbers at x + m * ldx. For few vectors, the bits of a product depend only on x_m and the row.
void multiply_rows(int64_t M, const real* x, int64_t ldx, const Rows& rows, real* y, int64_t ldy);

// y_m = sum over the given rows r of a[m * lda + r] row r, in their order, for m in [0, M); vector
// y_m are the rows.width numbers at y + m * ldy. For few vectors, the bits of y_m depend only on
// its own factors and their rows, and a row whose factor is 0 changes none.
void combine_rows(int64_t M, const real* a, int64_t lda, const Rows& rows, real* y, int64_t ldy);

}  // namespace smoe
