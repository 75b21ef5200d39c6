// Both products work in tiles that keep their sums in registers. They use the compilers' own vector
// type, which fixes the order of a sum, so that tiles of different sizes agree to the bit.
// Read next: nn/attention.cpp.
#include "core/matvec.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/blas.h"
#include "core/count_products.h"
#include "core/scratch.h"
#include "core/vector_type.h"

namespace smoe {
namespace {

constexpr size_t halves_slot = 5;  // of scratch; no caller of these products uses it

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
    const int64_t distance = 1 + (int64_t(16) << 10) / (rows.places() * int64_t(sizeof(real)));
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

#ifndef SMOE_DOUBLE

// A bfloat16 is the upper half of a float. So that this is all that has to be done to a row, vectors
// are taken apart into their numbers at even places and those at odd ones.
typedef uint32_t Words __attribute__((vector_size(register_bytes)));

inline Vector evens(Words words) {
    return (Vector)(words << 16);
}
inline Vector odds(Words words) {
    return (Vector)(words & 0xffff0000u);
}
inline float even(uint32_t word) {
    return std::bit_cast<float>(word << 16);
}
inline float odd(uint32_t word) {
    return std::bit_cast<float>(word & 0xffff0000u);
}

template <class Bits>
inline Bits bits_at(const real* place) {
    Bits bits;
    std::memcpy(&bits, place, sizeof bits);
    return bits;
}

// Vectors in halves: `words` numbers from even places, then as many from odd ones (0 beyond the end).
void take_apart(const real* x, int64_t width, real* apart) {
    const int64_t words = (width + 1) / 2;
    for (int64_t word = 0; word < words; ++word) {
        apart[word] = x[2 * word];
        apart[words + word] = 2 * word + 1 < width ? x[2 * word + 1] : 0;
    }
}

// multiply_rows for S vectors in halves.
template <int S, bool foreseen>
void multiply_halves(const real* apart, const Rows& rows, real* y, int64_t ldy) {
    const int64_t words = rows.places();
    for (int64_t j = 0; j < rows.count; ++j) {
        const real* const row = rows[j];
        const real* const ahead = row_ahead(rows, j);
        Vector sums[S][2] = {};
        int64_t i = 0;
        for (; i + lanes <= words; i += lanes) {
            if constexpr (!foreseen) {
                prefetch(ahead + i);
            }
            const Words w = bits_at<Words>(row + i);
            for (int s = 0; s < S; ++s) {
                sums[s][0] += evens(w) * load(apart + s * 2 * words + i);
                sums[s][1] += odds(w) * load(apart + (s * 2 + 1) * words + i);
            }
        }
        for (int s = 0; s < S; ++s) {
            real sum = total(sums[s][0] + sums[s][1]);
            for (int64_t rest = i; rest < words; ++rest) {
                const auto word = bits_at<uint32_t>(row + rest);
                sum += even(word) * apart[s * 2 * words + rest];
                sum += odd(word) * apart[(s * 2 + 1) * words + rest];
            }
            y[s * ldy + rows.id(j)] = sum;
        }
    }
}

// Adds the part of rows j .. j + R - 1 to S vectors in halves.
template <int S, int R>
void combine_halves(const real* a, int64_t lda, const Rows& rows, int64_t j, real* apart) {
    const int64_t words = rows.places();
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
    for (; i + lanes <= words; i += lanes) {
        Vector sums[S][2];
        for (int s = 0; s < S; ++s) {
            sums[s][0] = load(apart + s * 2 * words + i);
            sums[s][1] = load(apart + (s * 2 + 1) * words + i);
        }
        for (int r = 0; r < R; ++r) {
            prefetch(ahead[r] + i);
            const Words w = bits_at<Words>(row[r] + i);
            for (int s = 0; s < S; ++s) {
                sums[s][0] += evens(w) * factor[s][r];
                sums[s][1] += odds(w) * factor[s][r];
            }
        }
        for (int s = 0; s < S; ++s) {
            store(sums[s][0], apart + s * 2 * words + i);
            store(sums[s][1], apart + (s * 2 + 1) * words + i);
        }
    }
    for (; i < words; ++i) {
        for (int s = 0; s < S; ++s) {
            for (int r = 0; r < R; ++r) {
                const auto word = bits_at<uint32_t>(row[r] + i);
                apart[s * 2 * words + i] += even(word) * factor[s][r];
                apart[(s * 2 + 1) * words + i] += odd(word) * factor[s][r];
            }
        }
    }
}

#endif

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
    if (rows.halved) {
        count_product(M * rows.count * rows.width);
        const int64_t apart = 2 * rows.places();
        real* const halves = scratch(halves_slot, M * apart);
        for (int64_t m = 0; m < M; ++m) {
            take_apart(x + m * ldx, rows.width, halves + m * apart);
        }
        if (M == 1 && rows.ids == nullptr) {
            multiply_halves<1, true>(halves, rows, y, ldy);
            return;
        }
        for_each_tile<8>(0, M, [&]<int S>(int64_t m) {
            multiply_halves<S, false>(halves + m * apart, rows, y + m * ldy, ldy);
        });
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
    if (rows.halved) {
        count_product(M * rows.count * rows.width);
        const int64_t words = rows.places();
        real* const apart = scratch(halves_slot, M * 2 * words);
        std::fill_n(apart, M * 2 * words, real(0));
        for_each_tile<4>(0, rows.count, [&]<int R>(int64_t j) {
            for_each_tile<8>(0, M, [&]<int S>(int64_t m) {
                combine_halves<S, R>(a + m * lda, lda, rows, j, apart + m * 2 * words);
            });
        });
        for (int64_t m = 0; m < M; ++m) {
            for (int64_t i = 0; i < rows.width; ++i) {
                y[m * ldy + i] = apart[(m * 2 + i % 2) * words + i / 2];
            }
        }
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
