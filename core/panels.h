// A weight matrix in bfloat16 for products with few vectors. It is kept in the order in which a tile
// of a matrix product reads it: panels of as many outputs as the tile has columns, in each a pair of
// numbers of every output, then the next pair. So it is read as one stream, and one pass serves as
// many vectors as fit the tile. The vectors stay nearly as exact as float32: a number is the sum of
// two bfloat16, the nearest and the one nearest to the rest, which have 16 binary digits together,
// and each of the two is a row of the product.
// Read next: row_matrix.h, which decides who is kept like this; tiles/tile.h.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace smoe {

struct Panels {
    const real* data = nullptr;  // null: there are none. Each place holds the bits of a pair
    int64_t outputs = 0, depth = 0;
};

#ifndef SMOE_DOUBLE

// Panels for the rows of a matrix (outputs, depth), or for the columns of one (depth, outputs).
Tensor panels_of_rows(const Tensor& matrix);
Tensor panels_of_columns(const Tensor& matrix);

// The outputs that are asked for, or the numbers of the depth: `count` from `first` on, or of these
// only those that `ids` names in rising order, counted from `first`.
struct PanelPart {
    int64_t first, count;
    const int32_t* ids = nullptr;

    int64_t id(int64_t j) const { return ids == nullptr ? j : ids[j]; }
};

// y[m * ldy + o] = x_m . (output first + o) for the outputs of `part` and m in [0, M), where x_m are
// the panels.depth numbers at x + m * ldx. Bits depend only on x_m and the output.
void multiply_panels(const Panels& panels, int64_t M, const real* x, int64_t ldx,
                     const PanelPart& part, real* y, int64_t ldy);

// y[m * ldy + o] = sum over the k of `part` of a[m * lda + k] (output o)[first + k], for all outputs.
// Bits depend only on the numbers of a_m that are not 0.
void combine_panels(const Panels& panels, int64_t M, const real* a, int64_t lda,
                    const PanelPart& part, real* y, int64_t ldy);

#endif

}  // namespace smoe
