// Saves memory at the cost of time: a part of the graph is thrown away after forward and made again
// in backward (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016; PyTorch calls it
// checkpointing). Any computation can be a part.
// Read next: models/transformer/decoder.cpp, where a part is a block of the transformer.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "autograd/variable.h"

namespace smoe {

// part(x), of which the graph keeps only x and the result. Backward calls `part` once more, on a
// leaf with the value of x, and walks what it records. The gradients are the same to the bit if
// `part` computes the same both times. So its random numbers must be drawn beforehand, and whatever
// it refers to must still exist when backward runs. If x requires no gradient, this is part(x).
Variable recompute(const std::function<Variable(const Variable&)>& part, const Variable& x);

// The same for a part with several inputs. Whatever is computed outside and has a gradient must be
// one of them; otherwise a walk of the part would run on into the graph outside.
using RecomputedPart = std::function<Variable(std::span<const Variable>)>;
Variable recompute(const RecomputedPart& part, const std::vector<Variable>& inputs);

}  // namespace smoe
