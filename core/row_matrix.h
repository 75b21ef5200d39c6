// A weight matrix as generation reads it, row by row: in float32, or as a copy in bfloat16 that takes
// half as long to read. Only the weights are rounded; vectors and sums stay float32.
// Read next: matvec.h, which multiplies with its rows.
#pragma once

#include "core/matvec.h"
#include "core/precision.h"
#include "core/tensor.h"

namespace smoe {

class RowMatrix {
  public:
    RowMatrix() = default;
    // The rows of `matrix` (rows, width): shared in float32 and in the double build.
    RowMatrix(const Tensor& matrix, Precision precision);
    // The rows of its transpose: always a copy.
    static RowMatrix of_transpose(const Tensor& matrix, Precision precision);

    // `count` rows from row `first` on.
    Rows rows(int64_t first, int64_t count) const;

    // What this holds of its own, for who wants to move it; null if it shares the numbers.
    Tensor* own() { return copied_ ? &numbers_ : nullptr; }

  private:
    Tensor numbers_;  // (rows, width), or two bfloat16 for each number (rows, ceil(width / 2))
    int64_t width_ = 0;
    bool halved_ = false, copied_ = false;
};

}  // namespace smoe
