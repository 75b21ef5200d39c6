// How the numbers are kept, and where rows of them are.
// Read next: panels.cpp.
#include "core/row_matrix.h"

namespace smoe {

RowMatrix::RowMatrix(const Tensor& matrix, Precision precision, For product, Numbers numbers)
    : numbers_(matrix),
      rows_(matrix.size(0)),
      width_(matrix.size(1)),
      product_(product),
      in_panels_(rounds_to_bfloat16(precision)),
      own_(in_panels_ || numbers == Numbers::own) {
#ifndef SMOE_DOUBLE
    if (in_panels_) {
        numbers_ =
            product == For::multiply_rows ? panels_of_rows(matrix) : panels_of_columns(matrix);
    }
#endif
}

Rows RowMatrix::rows(int64_t first, int64_t count) const {
    if (!in_panels_) {
        return {.matrix = numbers_.data() + first * width_, .width = width_, .count = count};
    }
    const bool outputs_are_rows = product_ == For::multiply_rows;
    return {.matrix = nullptr,
            .width = width_,
            .count = count,
            .panels = {numbers_.data(), outputs_are_rows ? rows_ : width_,
                       outputs_are_rows ? width_ : rows_},
            .first = first};
}

}  // namespace smoe
