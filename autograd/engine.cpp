// The backward walk visits each node that can be reached once, by falling numbers. A node's
// gradient and rule are dropped as soon as they are used, so memory falls during the walk.
// Read next: ops/elementwise.cpp, the simplest rules that it calls.
#include "autograd/engine.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/check.h"

namespace smoe {
namespace {

// Every node that can be reached from root, highest id first.
std::vector<std::shared_ptr<Node>> reachable(const std::shared_ptr<Node>& root) {
    std::vector<std::shared_ptr<Node>> nodes, pending = {root};
    std::unordered_set<const Node*> seen = {root.get()};
    while (!pending.empty()) {
        const std::shared_ptr<Node> node = std::move(pending.back());
        pending.pop_back();
        for (const std::shared_ptr<Node>& input : node->inputs) {
            if (input != nullptr && seen.insert(input.get()).second) {
                pending.push_back(input);
            }
        }
        nodes.push_back(node);
    }
    std::sort(nodes.begin(), nodes.end(),
              [](const auto& left, const auto& right) { return left->id > right->id; });
    return nodes;
}

// The leaves of which each node is the last user, for nodes by falling ids.
std::vector<std::vector<const Node*>> last_uses(const std::vector<std::shared_ptr<Node>>& nodes) {
    std::unordered_map<const Node*, size_t> last;
    for (size_t i = 0; i < nodes.size(); ++i) {
        for (const std::shared_ptr<Node>& input : nodes[i]->inputs) {
            if (input != nullptr && input->is_leaf()) {
                last[input.get()] = i;
            }
        }
    }
    std::vector<std::vector<const Node*>> uses(nodes.size());
    for (const auto& [leaf, user] : last) {
        uses[user].push_back(leaf);
    }
    return uses;
}

void walk(const Variable& root, const Tensor& droot, const LeafDone& done) {
    check(root.requires_grad(),
          "backward: the root requires no gradient: no leaf that it was computed from does, or it "
          "was computed under NoGrad");
    check(droot.defined() && droot.shape() == root.shape(),
          "backward: droot has shape {}, the root {}", droot.shape().str(), root.shape().str());
    std::vector<std::shared_ptr<Node>> nodes = reachable(root.node());
    // All are checked before the first gradient is touched: a walk that fails must not leave half
    // of them behind.
    for (const std::shared_ptr<Node>& node : nodes) {
        check(node->is_leaf() || node->backward != nullptr,
              "backward: the result of '{}' was walked before, and the walk frees the graph",
              node->name);
    }
    Tensor& root_grad = root.node()->grad;
    root_grad = root_grad.defined() ? root_grad : Tensor::zeros(root.shape());
    std::transform(droot.data(), droot.data() + droot.numel(), root_grad.data(), root_grad.data(),
                   std::plus<real>());
    const auto leaves = done ? last_uses(nodes) : std::vector<std::vector<const Node*>>();
    std::vector<Tensor*> din;
    for (size_t i = 0; i < nodes.size(); ++i) {
        std::shared_ptr<Node>& node = nodes[i];
        if (node->is_leaf()) {
            continue;  // its gradient stays, and the next walk adds to it
        }
        din.clear();
        for (const std::shared_ptr<Node>& input : node->inputs) {
            if (input != nullptr && !input->grad.defined()) {
                input->grad = Tensor::zeros(input->shape);  // rules add
            }
            din.push_back(input != nullptr ? &input->grad : nullptr);
        }
        // Whatever used this result has a higher number and is done, so the gradient is complete.
        node->backward(node->grad, din);
        node->grad = Tensor();
        node->backward = nullptr;
        node.reset();
        if (done) {
            for (const Node* leaf : leaves[i]) {
                done(*leaf);
            }
        }
    }
}

}  // namespace

void backward(const Variable& root, const LeafDone& done) {
    check(root.shape().numel() == 1,
          "backward: the root must be a single number, its shape is {}; give droot for others",
          root.shape().str());
    walk(root, Tensor::full(root.shape(), 1), done);
}

void backward(const Variable& root, const Tensor& droot) {
    walk(root, droot, {});
}

std::vector<std::string> graph_names(const Variable& root) {
    std::vector<std::string> names;
    if (root.requires_grad()) {
        for (const std::shared_ptr<Node>& node : reachable(root.node())) {
            if (!node->is_leaf()) {
                names.push_back(node->name);
            }
        }
    }
    std::reverse(names.begin(), names.end());
    return names;
}

}  // namespace smoe
