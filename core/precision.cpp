// Names, the question to the processor, and to the clock.
// Read next: tiles/tile.cpp, which asks it.
#include "core/precision.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/blas.h"
#include "core/tensor.h"
#include "core/tiles/tile.h"

namespace smoe {

const EnumNames<Precision>& enum_names(Precision) {
    static const EnumNames<Precision> names = {{Precision::float32, "float32"},
                                               {Precision::bfloat16, "bfloat16"}};
    return names;
}

Precision fastest_precision() {
    return has_bfloat16_instructions() ? Precision::bfloat16 : Precision::float32;
}

double bfloat16_time() {
    constexpr int64_t M = 256, N = 256, K = 128;  // under a millisecond
    const Tensor a = Tensor::full({M, K}, 1), b = Tensor::full({N, K}, 1),
                 c = Tensor::empty({M, N});
    const auto seconds = [&](Precision precision) {
        const auto start = std::chrono::steady_clock::now();
        gemm(Trans::no, Trans::yes, M, N, K, a.data(), K, b.data(), K, 0, c.data(), N, precision);
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    double exact = HUGE_VAL, rounded = HUGE_VAL;  // the best of some turns, the first to warm up
    for (int turn = 0; turn < 6; ++turn) {
        exact = std::min(exact, seconds(Precision::float32));
        rounded = std::min(rounded, seconds(Precision::bfloat16));
    }
    return rounded / exact;
}

std::string precision_note(Precision precision) {
    if (precision == Precision::float32 && !has_bfloat16_instructions()) {
        return "products in float32";
    }
    const double time = bfloat16_time();
    if (precision == Precision::float32) {
        return fmt::format("products in float32; in bfloat16 one takes {:.2f} of the time here",
                           time);
    }
    return has_bfloat16_instructions()
               ? fmt::format("products in bfloat16, in {:.2f} of the time of float32", time)
               : fmt::format(
                     "products in bfloat16, for which this processor has no instructions: "
                     "one takes {:.1f} times as long as in float32",
                     time);
}

}  // namespace smoe
