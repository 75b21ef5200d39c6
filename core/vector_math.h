// The loops over contiguous numbers that every op is made of: exp, sums, dot products. They are
// written so that the compiler vectorises them without -ffast-math: reductions say `omp simd`, and
// exp is a polynomial, since the library's takes a call for each number.
// Read next: autograd/ops/, where they are used.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "core/real.h"

namespace smoe {

// The least number of elements in a chunk of parallel element-wise work for which waking a thread
// pays.
constexpr int64_t elementwise_grain = 1 << 14;

// Rows of `cols` numbers in such a chunk.
inline int64_t row_grain(int64_t cols) {
    return std::max<int64_t>(1, elementwise_grain / std::max<int64_t>(1, cols));
}

// e^x with a relative error below 2e-7 in float: x = n ln 2 + r with |r| <= ln 2 / 2, e^x = 2^n
// e^r. 0 below -87.3, e^88.3 above 88.3, NaN for NaN. The double build uses the library's exp.
inline float fast_exp(float x) {
    constexpr float log2_e = 1.44269504f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    constexpr float shifter = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
    const float bounded = x > 88.3f ? 88.3f : (x < -87.3f ? -87.3f : x);
    const float shifted = bounded * log2_e + shifter;
    const float n = shifted - shifter;
    const float r = (bounded - n * ln2_high) - n * ln2_low;
    // Taylor coefficients up to r^7; the next term is below 2e-8 on the interval.
    float power = 1.0f / 5040;
    power = power * r + 1.0f / 720;
    power = power * r + 1.0f / 120;
    power = power * r + 1.0f / 24;
    power = power * r + 1.0f / 6;
    power = power * r + 0.5f;
    power = power * r + 1.0f;
    power = power * r + 1.0f;
    // The low bits of `shifted` are n: added to the exponent field they multiply by 2^n.
    const uint32_t bits = std::bit_cast<uint32_t>(power) + (std::bit_cast<uint32_t>(shifted) << 23);
    // For a NaN, the same addition could change its exponent and make it a number.
    return x < -87.3f ? 0.0f : (x == x ? std::bit_cast<float>(bits) : x);
}
inline double fast_exp(double x) {
    return std::exp(x);
}

inline real sum(const real* x, int64_t count) {
    real total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t i = 0; i < count; ++i) {
        total += x[i];
    }
    return total;
}

inline real dot(const real* x, const real* y, int64_t count) {
    real total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t i = 0; i < count; ++i) {
        total += x[i] * y[i];
    }
    return total;
}

// y += a x
inline void axpy(int64_t count, real a, const real* x, real* y) {
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) {
        y[i] += a * x[i];
    }
}

// y = or += a * b, element by element
template <bool accumulate>
void multiply(int64_t count, const real* a, const real* b, real* y) {
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) {
        y[i] = accumulate ? y[i] + a[i] * b[i] : a[i] * b[i];
    }
}

// Largest element; count >= 1.
inline real largest(const real* x, int64_t count) {
    real most = x[0];
#pragma omp simd reduction(max : most)
    for (int64_t i = 0; i < count; ++i) {
        most = x[i] > most ? x[i] : most;
    }
    return most;
}

// x[i] = exp(scale (x[i] - offset)); returns their sum.
inline real exp_and_sum(real* x, int64_t count, real scale, real offset) {
    real total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t i = 0; i < count; ++i) {
        x[i] = fast_exp(scale * (x[i] - offset));
        total += x[i];
    }
    return total;
}

// Index of the largest element, the first of equals; count >= 1.
inline int64_t argmax(const real* x, int64_t count) {
    return std::max_element(x, x + count) - x;
}

// Rows in a block when all rows add to one sum. Each block is summed by itself and the blocks' sums
// are added in their order, so that threads change no bit. At most 32 blocks.
inline int64_t sum_grain(int64_t rows, int64_t cols) {
    return std::max(row_grain(cols), (rows + 31) / 32);
}

// out[c] += sum over rows of x[r, c], on all threads, with the same bits for any number of them.
void add_column_sums(const real* x, int64_t rows, int64_t cols, real* out);

}  // namespace smoe
