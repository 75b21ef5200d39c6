// Rounding, and the place of a row.
// Read next: matvec.cpp.
#include "core/row_matrix.h"

#include <cstring>

#include "core/bfloat16.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

Tensor halved(const Tensor& from) {
    const int64_t rows = from.size(0), width = from.size(1), places = (width + 1) / 2;
    const Tensor to = Tensor::empty({rows, places});
    parallel_for(rows, row_grain(width), [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
            for (int64_t place = 0; place < places; ++place) {
                const real* const numbers = from.data() + row * width + 2 * place;
                const real second = 2 * place + 1 < width ? numbers[1] : 0;
                const uint32_t pair = bfloat16_pair(float(numbers[0]), float(second));
                std::memcpy(to.data() + row * places + place, &pair, sizeof pair);
            }
        }
    });
    return to;
}

}  // namespace

RowMatrix::RowMatrix(const Tensor& matrix, Precision precision, Numbers numbers)
    : numbers_(matrix),
      width_(matrix.size(1)),
      halved_(precision == Precision::bfloat16 && sizeof(real) == sizeof(float)),
      own_(halved_ || numbers == Numbers::own) {
    if (halved_) {
        numbers_ = halved(matrix);
    }
}

Rows RowMatrix::rows(int64_t first, int64_t count) const {
    return {.matrix = numbers_.data() + first * numbers_.size(1),
            .width = width_,
            .count = count,
            .halved = halved_};
}

}  // namespace smoe
