// A weight matrix as generation reads it: row by row in float32, or as a copy in bfloat16, in panels,
// that takes half as long to read.
// Read next: matvec.h, which multiplies with its rows.
#pragma once

#include "core/matvec.h"
#include "core/precision.h"
#include "core/tensor.h"

namespace smoe {

class RowMatrix {
  public:
    enum class Numbers { shared, own };  // are those handed in a parameter's, or nobody else's?

    enum class For { multiply_rows, combine_rows };  // the product that it is for

    RowMatrix() = default;
    // The rows of `matrix` (rows, width). They are kept as they are in float32 and in the double
    // build, and copied in bfloat16.
    RowMatrix(const Tensor& matrix, Precision precision, For product = For::multiply_rows,
              Numbers numbers = Numbers::shared);

    // `count` rows from row `first` on.
    Rows rows(int64_t first, int64_t count) const;

    // What this holds of its own, for who wants to move it; null if it shares the numbers.
    Tensor* own() { return own_ ? &numbers_ : nullptr; }

  private:
    Tensor numbers_;  // (rows, width), or panels
    int64_t rows_ = 0, width_ = 0;
    For product_ = For::multiply_rows;
    bool in_panels_ = false, own_ = false;
};

}  // namespace smoe
