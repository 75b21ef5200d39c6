// The formulas of a normalised row, once for the ops and for the inference steps of the layers.
// Read next: normalise.cpp; nn/layers.cpp.
#pragma once

#include <cmath>

#include "core/vector_math.h"

namespace smoe {

struct RowMoments {
    real mean, rstd;  // rstd = 1 / sqrt(variance + eps)
};

// y = (x - mean) * rstd * weight + bias; y may be x.
inline RowMoments normalise_row(int64_t count, const real* x, const real* weight, const real* bias,
                                real eps, real* y) {
    const real mean = sum(x, count) / real(count);
    real square = 0;  // a pass of its own: mean(x^2) - mean^2 cancels
#pragma omp simd reduction(+ : square)
    for (int64_t i = 0; i < count; ++i) {
        square += (x[i] - mean) * (x[i] - mean);
    }
    const real rstd = 1 / std::sqrt(square / real(count) + eps);
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) {
        y[i] = (x[i] - mean) * rstd * weight[i] + bias[i];
    }
    return {mean, rstd};
}

// y = x * factor * weight with the factor 1 / sqrt(mean(x^2) + eps), which is returned; y may be x.
inline real rms_normalise_row(int64_t count, const real* x, const real* weight, real eps, real* y) {
    const real factor = 1 / std::sqrt(dot(x, x, count) / real(count) + eps);
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) {
        y[i] = x[i] * factor * weight[i];
    }
    return factor;
}

}  // namespace smoe
