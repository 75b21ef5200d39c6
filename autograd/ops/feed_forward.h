// What the forms of the feed-forward network share: their checks, and the loops after the
// products, which the inference step uses too. Callers of the ops only need autograd/ops.h.
// Read next: feed_forward.cpp.
#pragma once

#include "autograd/ops.h"

namespace smoe {

// Throws Error, naming `op`, unless x is (N, C) and the weights are those of a network C -> F -> C.
void check_feed_forward(const char* op, const Variable& x, const FeedForwardWeights& w);

// Throws Error, naming `op`, unless the masks are (K, hidden) and (K, width).
void check_masks(const char* op, const ExpertMasks& masks, int64_t hidden, int64_t width);

// max(h + bias, 0); written so that NaN stays NaN
inline real bias_relu(real h, real bias) {
    const real a = h + bias;
    return a < 0 ? 0 : a;
}

// h = max(h + bias, 0), element by element
inline void bias_relu(int64_t count, const real* bias, real* h) {
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) {
        h[i] = bias_relu(h[i], bias[i]);
    }
}

// h = mask * relu(a): da = dh where h is not 0, else 0, whatever the sign of the mask; written so
// that NaN stays NaN. On entry da holds dh.
inline void relu_backward(int64_t count, const real* h, real* da) {
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) {
        da[i] = h[i] != 0 ? da[i] : 0;
    }
}

}  // namespace smoe
