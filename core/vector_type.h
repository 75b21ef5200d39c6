// The compilers' own vector type, as wide as a register. Tiles of sums that must stay in registers
// are written with it, because compilers keep arrays of it there and may not keep arrays of reals.
// Other loops leave that to `omp simd`.
// Read next: row_products.cpp.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/real.h"

namespace smoe {

#if defined(__AVX512F__)
constexpr int64_t register_bytes = 64;
#elif defined(__AVX__)
constexpr int64_t register_bytes = 32;
#else
constexpr int64_t register_bytes = 16;
#endif

template <int64_t bytes>
struct VectorOf {
    typedef real type __attribute__((vector_size(bytes)));
};
using Vector = VectorOf<register_bytes>::type;
constexpr int64_t lanes = register_bytes / int64_t(sizeof(real));

// A Vector, or a single real, from or to any address; one instruction.
template <class Number = Vector>
inline Number load(const real* from) {
    Number number;
    std::memcpy(&number, from, sizeof number);
    return number;
}

template <class Number>
inline void store(const Number& number, real* to) {
    std::memcpy(to, &number, sizeof number);
}

}  // namespace smoe
