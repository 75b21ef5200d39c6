// Initial values of parameters, drawn from a stream that the caller hands in. Each layer says which
// of these it takes.
// Read next: linear.h.
#pragma once

#include "core/rng.h"
#include "core/tensor.h"

namespace smoe {

Tensor uniform_tensor(const Shape& shape, double bound, Rng& rng);  // in [-bound, bound)
Tensor normal_tensor(const Shape& shape, Rng& rng);                 // mean 0, variance 1

}  // namespace smoe
