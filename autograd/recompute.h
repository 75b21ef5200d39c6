// Memory for time: a part of the graph whose insides are thrown away after forward and made again
// in backward (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016; PyTorch calls it
// checkpointing). Refuses to know what the part computes.
// Read next: models/transformer/decoder.cpp, where a part is a block of the transformer.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "autograd/variable.h"

namespace smoe {

// part(x), of which the graph keeps x and the result only. Backward calls `part` once more, on a
// leaf with the value of x, and walks what it records: the same gradients to the bit, if `part`
// computes the same both times. Whatever chance it uses must be drawn before, and whatever it
// refers to must still be there when backward runs. If x requires no gradient, this is part(x).
Variable recompute(const std::function<Variable(const Variable&)>& part, const Variable& x);

// The same of a part with several inputs. What is computed outside and has a gradient must be one
// of them: a walk of the part would otherwise run on into the graph that it came from.
using RecomputedPart = std::function<Variable(std::span<const Variable>)>;
Variable recompute(const RecomputedPart& part, const std::vector<Variable>& inputs);

}  // namespace smoe
