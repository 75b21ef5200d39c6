// All elements to one number: sum and mean. Added up in blocks that depend on the size alone, and
// so is every sum across threads in this project.
// Read next: linear.cpp.
#include "autograd/ops.h"
#include "autograd/ops/inputs.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

// factor * (sum of all elements of x), summed in fixed blocks so that threads do not change it.
Variable scaled_sum(const char* name, const Variable& x, real factor) {
    check_defined(name, x);
    const int64_t count = x.shape().numel();
    const int64_t blocks = (count + elementwise_grain - 1) / elementwise_grain;
    const Tensor partial = Tensor::empty({blocks});
    parallel_for(count, elementwise_grain, [&](int64_t begin, int64_t end) {
        partial.data()[begin / elementwise_grain] = sum(x.value().data() + begin, end - begin);
    });
    const Tensor out = Tensor::full({}, factor * sum(partial.data(), blocks));
    return record(name, out, {x}, [factor](const Tensor& dout, std::span<Tensor* const> din) {
        const real g = factor * dout.item();  // dx[i] = factor * dout for every i
        for (real& dx : din[0]->values()) {
            dx += g;
        }
    });
}

}  // namespace

Variable sum(const Variable& x) {
    return scaled_sum("sum", x, 1);
}

Variable mean(const Variable& x) {
    check(x.value().numel() > 0, "mean: shape {} has no elements", x.shape().str());
    return scaled_sum("mean", x, real(1) / real(x.shape().numel()));
}

}  // namespace smoe
