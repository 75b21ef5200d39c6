// A Variable is a Tensor and, if gradients are wanted, the Node of the graph that it came from. Ops
// take Variables, compute on their Tensors and record how to differentiate what they did. Ownership
// runs from results to inputs and never back: a rule captures Tensors, not Variables, so the graph
// has no cycles and is gone when the last result is.
// Read next: engine.h, which walks the graph; ops.h, the catalogue of ops.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace smoe {

// The rule of an op. Given dout, the gradient of the loss with respect to the op's result, it must
// ADD the gradient of each input into *din[i]; din[i] is null if none is wanted. It keeps no
// reference to either. Two entries may be the same tensor (an input used twice), which is why it
// must add.
using Backward = std::function<void(const Tensor& dout, std::span<Tensor* const> din)>;

// One recorded op, or a leaf (a parameter), which has no rule and keeps its gradient.
struct Node {
    const char* name;  // of the op; "leaf" for a leaf
    uint64_t id;       // counts up: an input's id is lower than its results' ids
    Shape shape;       // of the value
    std::vector<std::shared_ptr<Node>> inputs;  // null if no gradient is wanted
    Backward backward;
    Tensor grad;  // of a leaf: undefined before the first backward unless set by the owner

    Node(const char* op, const Shape& value_shape, std::vector<std::shared_ptr<Node>> operands,
         Backward rule);
    bool is_leaf() const { return inputs.empty(); }
    // Takes long chains apart in a loop: nested destructor calls would need stack for each op of
    // the chain.
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
};

// Copies are handles to the same value and the same place in the graph.
class Variable {
  public:
    Variable() = default;  // undefined
    explicit Variable(Tensor value, bool requires_grad = false);

    bool defined() const { return value_.defined(); }
    const Tensor& value() const { return value_; }
    const Shape& shape() const { return value_.shape(); }
    bool requires_grad() const { return node_ != nullptr; }
    const std::shared_ptr<Node>& node() const { return node_; }

    // The gradient that backward left in a leaf; undefined before the first backward. Both throw
    // Error unless this is a leaf that requires one.
    const Tensor& grad() const;
    void zero_grad() const;  // to zeros, if it is defined

    // Sets whether a gradient is wanted from now on. A leaf that wants none is a constant and drops
    // the gradient it had; earlier copies stay as they were. Throws Error for an op's result.
    void requires_grad_(bool on);

    // Moves a leaf's value and gradient into the caller's memory (see nn/flat_parameters.h). The
    // value is copied there. Throws Error if this is not a leaf or a shape differs.
    void rebind(const Tensor& value, const Tensor& grad);

  private:
    friend Variable record(const char* name, Tensor value, std::span<const Variable> inputs,
                           Backward backward);
    Tensor value_;
    std::shared_ptr<Node> node_;
};

// The result of op `name`: `value` with a node for `backward` if gradients are on and at least one
// of the inputs requires one; otherwise just the value, and what the rule captured is freed.
Variable record(const char* name, Tensor value, std::span<const Variable> inputs,
                Backward backward);
inline Variable record(const char* name, Tensor value, std::initializer_list<Variable> inputs,
                       Backward backward) {
    return record(name, std::move(value), std::span(inputs.begin(), inputs.size()),
                  std::move(backward));
}

// While one of these lives, ops on this thread record or do not record; afterwards the earlier mode
// returns.
class GradMode {
  public:
    explicit GradMode(bool on);
    ~GradMode();
    GradMode(const GradMode&) = delete;
    GradMode& operator=(const GradMode&) = delete;

  private:
    bool before_;
};
struct NoGrad : GradMode {
    NoGrad() : GradMode(false) {}
};

}  // namespace smoe
