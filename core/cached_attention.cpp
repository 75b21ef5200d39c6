// Both products keep their sums in registers, several at a time, since an addition must wait for the
// one before.
// Read next: vector_math.h, for the exponentials.
#include "core/cached_attention.h"

#include "core/count_products.h"
#include "core/vector_math.h"
#include "core/vector_type.h"

namespace smoe {
namespace {

// The scores of a block of keys.
void score(const real* q, int64_t D, const real* keys, real* scores) {
    constexpr int together = 4;
    Vector sums[together] = {};
    int64_t d = 0;
    for (; d + together <= D; d += together) {
        for (int s = 0; s < together; ++s) {
            sums[s] += load(keys + (d + s) * lanes) * q[d + s];
        }
    }
    for (; d < D; ++d) {
        sums[0] += load(keys + d * lanes) * q[d];
    }
    store((sums[0] + sums[1]) + (sums[2] + sums[3]), scores);
}

// factor times the sum of weights[p] times `vectors` registers of value p, every `sums`-th position
// in a sum of its own.
template <int vectors, int sums>
void mix(const real* weights, const real* values, int64_t D, int64_t seen, real factor, real* y) {
    Vector parts[sums][vectors] = {};
    int64_t p = 0;
    for (; p + sums <= seen; p += sums) {
        for (int s = 0; s < sums; ++s) {
            for (int v = 0; v < vectors; ++v) {
                parts[s][v] += load(values + (p + s) * D + v * lanes) * weights[p + s];
            }
        }
    }
    for (; p < seen; ++p) {
        for (int v = 0; v < vectors; ++v) {
            parts[0][v] += load(values + p * D + v * lanes) * weights[p];
        }
    }
    for (int v = 0; v < vectors; ++v) {
        for (int s = 1; s < sums; ++s) {
            parts[0][v] += parts[s][v];
        }
        store(parts[0][v] * factor, y + v * lanes);
    }
}

}  // namespace

int64_t in_blocks(int64_t positions) {
    return (positions + lanes - 1) / lanes * lanes;
}

void put_key(const real* key, int64_t D, int64_t position, real* keys) {
    real* const to = keys + position / lanes * lanes * D + position % lanes;
    for (int64_t d = 0; d < D; ++d) {
        to[d * lanes] = key[d];
    }
}

void attend(const real* q, int64_t D, const real* keys, const real* values, int64_t seen,
            real scale, real* scores, real* y) {
    count_product(2 * seen * D);
    for (int64_t p = 0; p < seen; p += lanes) {
        score(q, D, keys + p * D, scores + p);
    }
    // softmax needs no pass of its own: values are mixed by exp, and the mix is divided.
    const real factor = 1 / exp_and_sum(scores, seen, scale, largest(scores, seen));
    int64_t d = 0;
    for (; d + 4 * lanes <= D; d += 4 * lanes) {
        mix<4, 2>(scores, values + d, D, seen, factor, y + d);
    }
    for (; d + 2 * lanes <= D; d += 2 * lanes) {
        mix<2, 4>(scores, values + d, D, seen, factor, y + d);
    }
    for (; d + lanes <= D; d += lanes) {
        mix<1, 8>(scores, values + d, D, seen, factor, y + d);
    }
    for (; d < D; ++d) {
        real sum = 0;
        for (int64_t p = 0; p < seen; ++p) {
            sum += scores[p] * values[p * D + d];
        }
        y[d] = sum * factor;
    }
}

}  // namespace smoe
