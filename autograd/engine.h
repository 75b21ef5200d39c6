// Reverse-mode differentiation: walks the recorded graph from a result to the leaves.
// Nodes are numbered as they are made, so falling numbers are a topological order: no recursion,
// and graphs of any depth work. There are no second derivatives, because the walk consumes the
// graph.
// Read next: ops.h.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/variable.h"

namespace smoe {

// Told of each leaf as soon as its gradient is complete, while the walk goes on. What recompute()
// walks is not seen: leaves that are used inside are not told of, or too early.
using LeafDone = std::function<void(const Node& leaf)>;

// Adds d(root)/d(leaf) to the gradient of every leaf that root depends on. Gradients of
// intermediate results, and what their rules captured, are freed on the way. Throws Error if root
// has more than one element, requires no gradient, or was walked before.
void backward(const Variable& root, const LeafDone& done = {});

// The same for any root: adds sum over i of droot[i] d(root[i])/d(leaf). droot has the shape of
// root.
void backward(const Variable& root, const Tensor& droot);

// The ops that root depends on, in the order in which they were recorded; leaves are left out.
std::vector<std::string> graph_names(const Variable& root);

}  // namespace smoe
