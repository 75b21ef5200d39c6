// Both products work in tiles that keep their sums in registers. They use the compilers' own vector
// type, which fixes the order of a sum, so that tiles of different sizes agree to the bit.
// Read next: nn/attention.cpp.
#include "core/matvec.h"

#include <algorithm>
#include <cstring>

#include "core/blas.h"
#include "core/count_products.h"
#include "core/vector_type.h"

namespace smoe {
namespace {

// The sum of the elements, halves added until one is left.
template <int64_t bytes = register_bytes>
inline real total(const typename VectorOf<bytes>::type& vector) {
    if constexpr (bytes == sizeof(real)) {
        return vector[0];
    } else {
        typename VectorOf<bytes / 2>::type halves[2];
        std::memcpy(halves, &vector, bytes);
        return total<bytes / 2>(halves[0] + halves[1]);
    }
}

// The row to fetch into the second-level cache while row j is worked on: 16 KiB ahead, far enough
// for memory to answer in time. The processor only foresees rows by itself if they follow one
// another and little is computed with them.
inline const real* row_ahead(const Rows& rows, int64_t j) {
    const int64_t distance = 1 + (int64_t(16) << 10) / (rows.width * int64_t(sizeof(real)));
    return rows[std::min(j + distance, rows.count - 1)];
}

inline void prefetch(const real* address) {
    __builtin_prefetch(address, 0, 2);
}

// multiply_rows for S vectors.
template <int S, bool foreseen>
void multiply_tile(const real* x, int64_t ldx, const Rows& rows, real* y, int64_t ldy) {
    const int64_t width = rows.width;
    for (int64_t j = 0; j < rows.count; ++j) {
        const real* const row = rows[j];
        const real* const ahead = row_ahead(rows, j);
        Vector sums[S] = {};
        int64_t i = 0;
        for (; i + lanes <= width; i += lanes) {
            if constexpr (!foreseen) {
                prefetch(ahead + i);
            }
            const Vector w = load(row + i);
            for (int s = 0; s < S; ++s) {
                sums[s] += w * load(x + s * ldx + i);
            }
        }
        for (int s = 0; s < S; ++s) {
            real sum = total(sums[s]);
            for (int64_t rest = i; rest < width; ++rest) {
                sum += row[rest] * x[s * ldx + rest];
            }
            y[s * ldy + rows.id(j)] = sum;
        }
    }
}

// Adds the part of rows j .. j + R - 1 to S vectors.
template <int S, int R>
void combine_tile(const real* a, int64_t lda, const Rows& rows, int64_t j, real* y, int64_t ldy) {
    const int64_t width = rows.width;
    const real* row[R];
    const real* ahead[R];
    real factor[S][R];
    for (int r = 0; r < R; ++r) {
        row[r] = rows[j + r];
        ahead[r] = row_ahead(rows, j + r);
        for (int s = 0; s < S; ++s) {
            factor[s][r] = a[s * lda + rows.id(j + r)];
        }
    }
    int64_t i = 0;
    for (; i + lanes <= width; i += lanes) {
        Vector sums[S];
        for (int s = 0; s < S; ++s) {
            sums[s] = load(y + s * ldy + i);
        }
        for (int r = 0; r < R; ++r) {
            prefetch(ahead[r] + i);
            const Vector w = load(row[r] + i);
            for (int s = 0; s < S; ++s) {
                sums[s] += w * factor[s][r];
            }
        }
        for (int s = 0; s < S; ++s) {
            store(sums[s], y + s * ldy + i);
        }
    }
    for (; i < width; ++i) {
        for (int s = 0; s < S; ++s) {
            for (int r = 0; r < R; ++r) {
                y[s * ldy + i] += row[r][i] * factor[s][r];
            }
        }
    }
}

// Calls body.operator()<size>(begin) for tiles of `size` = largest, largest / 2, ... 1 that cover
// [begin, end).
template <int largest, class Body>
inline void for_each_tile(int64_t begin, int64_t end, const Body& body) {
    for (; begin + largest <= end; begin += largest) {
        body.template operator()<largest>(begin);
    }
    if constexpr (largest > 1) {
        for_each_tile<largest / 2>(begin, end, body);
    }
}

}  // namespace

void multiply_rows(int64_t M, const real* x, int64_t ldx, const Rows& rows, real* y, int64_t ldy) {
#ifndef SMOE_DOUBLE
    if (rows.panels.data != nullptr) {
        count_product(M * rows.count * rows.width);
        multiply_panels(rows.panels, M, x, ldx, {rows.first, rows.count, rows.ids}, y, ldy);
        return;
    }
#endif
    if (M > few_vectors && rows.ids == nullptr) {
        gemm_serial(Trans::no, Trans::yes, M, rows.count, rows.width, x, ldx, rows.matrix,
                    rows.width, 0, y, ldy);
        return;
    }
    count_product(M * rows.count * rows.width);
    if (M == 1 && rows.ids == nullptr) {
        multiply_tile<1, true>(x, ldx, rows, y, ldy);
    } else {
        for_each_tile<8>(0, M, [&]<int S>(int64_t m) {
            multiply_tile<S, false>(x + m * ldx, ldx, rows, y + m * ldy, ldy);
        });
    }
}

void combine_rows(int64_t M, const real* a, int64_t lda, const Rows& rows, real* y, int64_t ldy) {
#ifndef SMOE_DOUBLE
    if (rows.panels.data != nullptr) {
        count_product(M * rows.count * rows.width);
        combine_panels(rows.panels, M, a, lda, {rows.first, rows.count, rows.ids}, y, ldy);
        return;
    }
#endif
    if (M > few_vectors && rows.ids == nullptr) {
        gemm_serial(Trans::no, Trans::no, M, rows.width, rows.count, a, lda, rows.matrix,
                    rows.width, 0, y, ldy);
        return;
    }
    count_product(M * rows.count * rows.width);
    for (int64_t m = 0; m < M; ++m) {
        std::fill_n(y + m * ldy, rows.width, real(0));
    }
    for_each_tile<4>(0, rows.count, [&]<int R>(int64_t j) {
        for_each_tile<8>(0, M, [&]<int S>(int64_t m) {
            combine_tile<S, R>(a + m * lda, lda, rows, j, y + m * ldy, ldy);
        });
    });
}

}  // namespace smoe
