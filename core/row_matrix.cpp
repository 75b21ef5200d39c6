// Rounding, and the place of a row.
// Read next: matvec.cpp.
#include "core/row_matrix.h"

#include <cstring>

#include "core/bfloat16.h"
#include "core/threads.h"

namespace smoe {
namespace {

Tensor transposed(const Tensor& from) {
    const int64_t rows = from.size(0), cols = from.size(1);
    const Tensor to = Tensor::empty({cols, rows});
    constexpr int64_t line = 16;
    parallel_for(cols, line, [&](int64_t begin, int64_t end) {
        for (int64_t row = 0; row < rows; ++row) {
            for (int64_t col = begin; col < end; ++col) {
                to.data()[col * rows + row] = from.data()[row * cols + col];
            }
        }
    });
    return to;
}

Tensor halved(const Tensor& from) {
    const int64_t rows = from.size(0), width = from.size(1), words = (width + 1) / 2;
    const Tensor to = Tensor::empty({rows, words});
    constexpr int64_t few = 16;
    parallel_for(rows, few, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
            for (int64_t word = 0; word < words; ++word) {
                const real* const numbers = from.data() + row * width + 2 * word;
                const real second = 2 * word + 1 < width ? numbers[1] : 0;
                const uint32_t pair = rounded_to_bfloat16(float(numbers[0])) >> 16 |
                                      (rounded_to_bfloat16(float(second)) & 0xffff0000u);
                std::memcpy(to.data() + row * words + word, &pair, sizeof pair);
            }
        }
    });
    return to;
}

}  // namespace

RowMatrix::RowMatrix(const Tensor& matrix, Precision precision)
    : numbers_(matrix),
      width_(matrix.size(1)),
      halved_(precision == Precision::bfloat16 && sizeof(real) == sizeof(float)),
      copied_(halved_) {
    if (halved_) {
        numbers_ = halved(matrix);
    }
}

RowMatrix RowMatrix::of_transpose(const Tensor& matrix, Precision precision) {
    RowMatrix result(transposed(matrix), precision);
    result.copied_ = true;
    return result;
}

Rows RowMatrix::rows(int64_t first, int64_t count) const {
    const real* const begin = numbers_.data() + first * numbers_.size(1);
    Rows rows{halved_ ? nullptr : begin, width_, count};
    rows.halves = halved_ ? begin : nullptr;
    return rows;
}

}  // namespace smoe
