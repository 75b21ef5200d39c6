// What the tests of sums and products share: numbers to compute with, and how exact a sum must be.
// Each test has its own loops to compare with.
// Read next: vector_math_test.cpp, blas_test.cpp, matvec_test.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "core/rng.h"

namespace smoe {

// The error that a sum of products may have, relative to the sum of their magnitudes.
constexpr double product_tolerance = sizeof(real) == 8 ? 1e-14 : 1e-6;

inline std::vector<real> random_values(int64_t count, Rng& rng) {
    std::vector<real> values(static_cast<size_t>(count));
    for (real& value : values) {
        value = real(rng.normal());
    }
    return values;
}

}  // namespace smoe
