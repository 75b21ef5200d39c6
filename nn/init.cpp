// Initial values, number by number in memory order.
// Read next: linear.cpp.
#include "nn/init.h"

namespace smoe {

Tensor uniform_tensor(const Shape& shape, double bound, Rng& rng) {
    const Tensor tensor = Tensor::empty(shape);
    for (real& value : tensor.values()) {
        value = real(bound * (2 * rng.uniform() - 1));
    }
    return tensor;
}

Tensor normal_tensor(const Shape& shape, Rng& rng) {
    const Tensor tensor = Tensor::empty(shape);
    for (real& value : tensor.values()) {
        value = real(rng.normal());
    }
    return tensor;
}

}  // namespace smoe
