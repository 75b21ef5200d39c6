// Registration, names, saving and loading. A name is the path of scopes down to a parameter;
// loading looks at everything before it changes anything.
// Read next: linear.cpp.
#include "nn/module.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace smoe {

Module::Module(const Scope& scope) : parent_(scope.parent) {
    if (parent_ != nullptr) {
        parent_->require_new(scope.name);
        parent_->children_.push_back({scope.name, this});
    }
}

Module::~Module() {
    if (parent_ != nullptr) {
        std::erase_if(parent_->children_,
                      [this](const auto& child) { return child.value == this; });
    }
    for (const auto& child : children_) {
        child.value->parent_ = nullptr;  // one that outlives this
    }
}

std::vector<Variable*> Module::parameters() {
    std::vector<Variable*> found;
    for (auto& entry : parameters_) {
        found.push_back(&entry.value);
    }
    for (const auto& child : children_) {
        const std::vector<Variable*> below = child.value->parameters();
        found.insert(found.end(), below.begin(), below.end());
    }
    return found;
}

int64_t Module::parameter_count() const {
    int64_t count = 0;
    for (const auto& entry : parameters_) {
        count += entry.value.shape().numel();
    }
    for (const auto& child : children_) {
        count += child.value->parameter_count();
    }
    return count;
}

std::map<std::string, Tensor> Module::state_dict() const {
    std::map<std::string, Tensor> found;
    collect("", found);
    return found;
}

void Module::collect(const std::string& prefix, std::map<std::string, Tensor>& found) const {
    for (const auto& entry : parameters_) {
        found[prefix + entry.name] = entry.value.value();
    }
    for (const auto& entry : buffers_) {
        found[prefix + entry.name] = entry.value;
    }
    for (const auto& child : children_) {
        child.value->collect(prefix + child.name + ".", found);
    }
}

std::map<std::string, Tensor> Module::running_buffers() const {
    std::map<std::string, Tensor> found;
    collect_buffers(BufferUse::running, "", found);
    return found;
}

std::map<std::string, Tensor> Module::fixed_buffers() const {
    std::map<std::string, Tensor> found;
    collect_buffers(BufferUse::fixed, "", found);
    return found;
}

void Module::collect_buffers(BufferUse use, const std::string& prefix,
                             std::map<std::string, Tensor>& found) const {
    for (const auto& entry : buffers_) {
        const bool running = std::ranges::find(running_, entry.name) != running_.end();
        if (running == (use == BufferUse::running)) {
            found[prefix + entry.name] = entry.value;
        }
    }
    for (const auto& child : children_) {
        child.value->collect_buffers(use, prefix + child.name + ".", found);
    }
}

void Module::check_state_dict(const std::map<std::string, Tensor>& values,
                              const std::string& origin) const {
    const std::map<std::string, Tensor> own = state_dict();
    for (const auto& [name, tensor] : own) {
        const auto given = values.find(name);
        check(given != values.end(),
              "'{}' lacks the tensor '{}': it belongs to another kind of model", origin, name);
        check(given->second.shape() == tensor.shape(),
              "'{}': '{}' has shape {}, this model needs {}", origin, name,
              given->second.shape().str(), tensor.shape().str());
    }
    for (const auto& [name, tensor] : own) {
        const std::span<const real> given = values.at(name).values();
        check(std::all_of(given.begin(), given.end(), [](real x) { return std::isfinite(x); }),
              "'{}': '{}' holds numbers that are not finite, so nothing can be computed with it",
              origin, name);
    }
    for (const auto& [name, tensor] : values) {
        check(own.contains(name), "'{}' holds the tensor '{}', which this model does not have",
              origin, name);
    }
    try {
        check_buffers("", values);
    } catch (const Error& error) {
        fail("'{}': {}", origin, error.what());
    }
}

void Module::load_state_dict(const std::map<std::string, Tensor>& values,
                             const std::string& origin) {
    check_state_dict(values, origin);
    for (const auto& [name, tensor] : state_dict()) {
        tensor.copy_from(values.at(name));
    }
    announce_loaded();  // factors are derived from masks, which may be others now
}

void Module::check_buffer(const std::string&, const Tensor&) const {}

void Module::check_buffers(const std::string& prefix,
                           const std::map<std::string, Tensor>& values) const {
    for (const auto& entry : buffers_) {
        check_buffer(entry.name, values.at(prefix + entry.name));
    }
    for (const auto& child : children_) {
        child.value->check_buffers(prefix + child.name + ".", values);
    }
}

void Module::announce_loaded() {
    state_loaded();
    for (const auto& child : children_) {
        child.value->announce_loaded();
    }
}

void Module::train(bool on) {
    training_ = on;
    for (const auto& child : children_) {
        child.value->train(on);
    }
}

void Module::requires_grad_(bool on) {
    for (Variable* const variable : parameters()) {
        variable->requires_grad_(on);
    }
}

void Module::require_new(const std::string& name) const {
    const auto refuse = [&name](const auto& entries) {
        for (const auto& entry : entries) {
            check(entry.name != name, "module: there is a '{}' already", name);
        }
    };
    refuse(parameters_);
    refuse(buffers_);
    refuse(children_);
}

Variable& Module::register_parameter(const std::string& name, const Tensor& value) {
    require_new(name);
    return parameters_.emplace_back(Named<Variable>{name, Variable(value, true)}).value;
}

Tensor& Module::register_buffer(const std::string& name, const Tensor& value, BufferUse use) {
    require_new(name);
    if (use == BufferUse::running) {
        running_.push_back(name);
    }
    return buffers_.emplace_back(Named<Tensor>{name, value}).value;
}

}  // namespace smoe
