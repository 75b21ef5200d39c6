// The products of row_products.h in bfloat16, on the tiles. Rows are copied together, a few at a
// time, so that they are still in the first-level cache when the tiles read them; they are rounded
// already, so that takes a tenth of the product.
// Read next: tiles/tile.h.
#pragma once

#include "core/row_products.h"

namespace smoe {

void round_rows(const PickedRows& rows, int64_t first, int64_t end);

int64_t panel_for(int64_t lanes);  // as wide as the tile, or a narrow one if that wastes less
void round_matrix(const SmallMatrices& matrices, int64_t m, const Operand& from);

void multiply_rounded_rows(const PickedRows& a, RowIds ids, const SmallMatrices& b, int64_t m,
                           real* y);
void add_rounded_products(const real* a, const SmallMatrices& b, int64_t m, RowIds ids, real* y);
void add_rounded_outer_products(const real* a, int64_t Y, const PickedRows& b, RowIds ids, real* c);

}  // namespace smoe
