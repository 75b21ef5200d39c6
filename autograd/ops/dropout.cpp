// Dropout (Srivastava et al., JMLR 2014), and the factors that it multiplies by. It keeps no mask:
// backward draws the same factors again.
// Read next: normalise.cpp, which drops as part of its own pass.
#include "autograd/ops/dropout.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "autograd/ops/inputs.h"
#include "core/scratch.h"
#include "core/streams.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

void check_dropout(const char* op, double p) {
    check(p >= 0 && p < 1, "{}: the probability must be in [0, 1), found {}", op, p);
}

void dropout_factors(double p, uint64_t seed, int64_t begin, int64_t count, real* factors) {
    constexpr int64_t block = 8, batch = 16 * block;  // elements of a Philox block, of a round
    const uint32_t threshold = uint32_t(std::lround(p * 65536));
    const real kept = real(65536.0 / (65536 - threshold));
    const int64_t end = begin + count;
    for (int64_t first = begin / block * block; first < end; first += batch) {
        uint32_t words[batch / 2];
        philox_blocks(seed, stream_number(Stream::dropout), uint64_t(first / block), batch / block,
                      words);
        real drawn[batch];
        for (int64_t i = 0; i < batch / 2; ++i) {
            drawn[2 * i] = (words[i] & 0xFFFF) >= threshold ? kept : 0;
            drawn[2 * i + 1] = words[i] >> 16 >= threshold ? kept : 0;
        }
        const int64_t from = std::max(first, begin), to = std::min(first + batch, end);
        std::copy(drawn + (from - first), drawn + (to - first), factors + (from - begin));
    }
}

Variable dropout(const Variable& x, double p, uint64_t seed) {
    check_defined("dropout", x);
    check_dropout("dropout", p);
    if (p == 0) {
        return x;
    }
    // to = or += factor * from; forward and backward are the same product
    const auto apply = [p, seed](const Tensor& from, const Tensor& to, bool accumulate) {
        parallel_for(from.numel(), elementwise_grain, [&](int64_t begin, int64_t end) {
            real* const factors = scratch(0, elementwise_grain);
            dropout_factors(p, seed, begin, end - begin, factors);
            const auto product = accumulate ? multiply<true> : multiply<false>;
            product(end - begin, factors, from.data() + begin, to.data() + begin);
        });
    };
    const Tensor out = Tensor::empty(x.shape());
    apply(x.value(), out, false);
    return record("dropout", out, {x}, [apply](const Tensor& dout, std::span<Tensor* const> din) {
        apply(dout, *din[0], true);  // dx = factor * dout
    });
}

}  // namespace smoe
