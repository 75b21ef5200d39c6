// Recording: nodes, variables and the switch that turns recording off. Each thread has its own
// switch; nodes are numbered across the program.
// Read next: engine.cpp.
#include "autograd/variable.h"

#include <atomic>
#include <utility>

#include "core/check.h"

namespace smoe {
namespace {

std::atomic<uint64_t> nodes_made = 0;
thread_local bool grad_enabled = true;

}  // namespace

Node::Node(const char* op, const Shape& value_shape, std::vector<std::shared_ptr<Node>> operands,
           Backward rule)
    : name(op),
      id(nodes_made++),
      shape(value_shape),
      inputs(std::move(operands)),
      backward(std::move(rule)) {}

Node::~Node() {
    std::vector<std::shared_ptr<Node>> pending = std::move(inputs);
    while (!pending.empty()) {
        const std::shared_ptr<Node> node = std::move(pending.back());
        pending.pop_back();
        if (node != nullptr && node.use_count() == 1) {  // nothing else needs what is below it
            for (std::shared_ptr<Node>& input : node->inputs) {
                pending.push_back(std::move(input));
            }
            node->inputs.clear();
        }
    }
}

Variable::Variable(Tensor value, bool requires_grad) : value_(std::move(value)) {
    if (requires_grad) {
        node_ = std::make_shared<Node>("leaf", value_.shape(), std::vector<std::shared_ptr<Node>>(),
                                       nullptr);
    }
}

const Tensor& Variable::grad() const {
    check(requires_grad() && node_->is_leaf(),
          "variable: only a leaf that requires a gradient has one, found '{}'",
          requires_grad() ? node_->name : "constant");
    return node_->grad;
}

void Variable::zero_grad() const {
    if (grad().defined()) {
        node_->grad.fill(0);
    }
}

void Variable::requires_grad_(bool on) {
    check(!requires_grad() || node_->is_leaf(),
          "variable: only a leaf can stop requiring a gradient, found '{}'",
          requires_grad() ? node_->name : "constant");
    if (on != requires_grad()) {
        *this = Variable(value_, on);
    }
}

void Variable::rebind(const Tensor& value, const Tensor& grad) {
    check(requires_grad() && node_->is_leaf(),
          "variable: only a leaf that requires a gradient can be moved, found '{}'",
          requires_grad() ? node_->name : "constant");
    check(grad.shape() == shape(), "variable: a gradient of shape {} for a value of shape {}",
          grad.shape().str(), shape().str());
    value.copy_from(value_);
    value_ = value;
    node_->grad = grad;
}

Variable record(const char* name, Tensor value, std::span<const Variable> inputs,
                Backward backward) {
    Variable result(std::move(value));
    std::vector<std::shared_ptr<Node>> nodes;
    bool wanted = false;
    for (const Variable& input : inputs) {
        nodes.push_back(input.node());
        wanted |= input.requires_grad();
    }
    if (grad_enabled && wanted) {
        result.node_ =
            std::make_shared<Node>(name, result.shape(), std::move(nodes), std::move(backward));
    }
    return result;
}

GradMode::GradMode(bool on) : before_(std::exchange(grad_enabled, on)) {}
GradMode::~GradMode() {
    grad_enabled = before_;
}

}  // namespace smoe
