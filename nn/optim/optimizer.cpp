// Modes, saving and loading: what all optimisers do alike. A kind adds its update, and the values
// to evaluate if these are not the ones that are trained.
// Read next: sgd.cpp.
#include "nn/optim/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/check.h"
#include "nn/optim/adamw.h"
#include "nn/optim/schedule_free_adamw.h"
#include "nn/optim/sgd.h"

namespace smoe {

void check_settings(const OptimizerSettings& settings) {
    check(std::isfinite(settings.lr) && settings.lr > 0,
          "optimizer: the learning rate must be positive, found {}", settings.lr);
    for (const double beta : {settings.beta1, settings.beta2}) {
        check(beta >= 0 && beta < 1, "optimizer: betas must be in [0, 1), found {}", beta);
    }
    check(std::isfinite(settings.eps) && settings.eps > 0,
          "optimizer: eps must be positive, found {}", settings.eps);
    check(std::isfinite(settings.weight_decay) && settings.weight_decay >= 0,
          "optimizer: weight decay must not be negative, found {}", settings.weight_decay);
    check(settings.warmup >= 0, "optimizer: warm-up must not be negative, found {}",
          settings.warmup);
    check(settings.schedule == Schedule::constant || settings.steps > 0,
          "optimizer: a schedule that falls to 0 needs the number of steps, found {}",
          settings.steps);
}

namespace {

// The groups in order, with what lies between them. Neighbours of the same factors are joined.
std::vector<ParameterGroup> without_gaps(std::vector<ParameterGroup> groups, int64_t count) {
    std::sort(groups.begin(), groups.end(),
              [](const auto& a, const auto& b) { return a.begin < b.begin; });
    std::vector<ParameterGroup> all;
    const auto add = [&](const ParameterGroup& next) {
        if (next.begin == next.end) {
            return;
        }
        if (!all.empty() && all.back().lr == next.lr &&
            all.back().weight_decay == next.weight_decay) {
            all.back().end = next.end;
        } else {
            all.push_back(next);
        }
    };
    int64_t done = 0;
    for (const ParameterGroup& group : groups) {
        check(group.begin >= done && group.begin <= group.end && group.end <= count,
              "optimizer: a group from {} to {} overlaps another or does not lie among {} "
              "parameters",
              group.begin, group.end, count);
        for (const double factor : {group.lr, group.weight_decay}) {
            check(std::isfinite(factor) && factor >= 0,
                  "optimizer: factors of a group must not be negative, found {}", factor);
        }
        add({.begin = done, .end = group.begin});
        add(group);
        done = group.end;
    }
    add({.begin = done, .end = count});
    return all;
}

}  // namespace

Optimizer::Optimizer(const Tensor& values, const Tensor& grads, const OptimizerSettings& settings)
    : values_(values),
      grads_(grads),
      settings_(settings),
      groups_(without_gaps(settings.groups, values.numel())) {
    check(values.shape() == grads.shape(), "optimizer: parameters of shape {}, gradients of {}",
          values.shape().str(), grads.shape().str());
    check_settings(settings);
}

double Optimizer::schedule() const {
    // The first gradients say little, and Adam divides by what it knows of their size. So steps are
    // small until it has seen some.
    if (steps_ < settings_.warmup) {
        return double(steps_ + 1) / double(settings_.warmup);
    }
    if (settings_.schedule == Schedule::constant) {
        return 1;
    }
    if (steps_ >= settings_.steps) {
        return 0;
    }
    const double left =
        double(settings_.steps - steps_) / double(settings_.steps - settings_.warmup);
    return settings_.schedule == Schedule::linear
               ? left
               : (1 + std::cos(std::numbers::pi * (1 - left))) / 2;
}

double Optimizer::learning_rate(double factor) const {
    return settings_.lr * factor * schedule();
}

void Optimizer::step() {
    require_training("step()");
    begin_step();
    for (const ParameterGroup& group : groups_) {
        update({group.begin, group.end, learning_rate(group.lr),
                settings_.weight_decay * group.weight_decay});
    }
    ++steps_;
}

void Optimizer::require_training(const char* call) const {
    check(training_, "optimizer: {} in evaluation mode; call train() first", call);
}

// Back and forth, since train() must restore the bits, and computing them would round.
void Optimizer::swap_values() {
    if (trained_.data() != values_.data()) {
        std::swap_ranges(trained_.data(), trained_.data() + trained_.numel(), values_.data());
    }
}

void Optimizer::eval() {
    if (training_) {
        trained_ = averaged_values();
        swap_values();
        training_ = false;
    }
}

void Optimizer::train() {
    if (!training_) {
        swap_values();
        trained_ = Tensor();
        training_ = true;
    }
}

Optimizer::State Optimizer::state_dict() const {
    require_training("state_dict()");
    State state{kept_, numbers_};
    state.numbers["steps"] = double(steps_);
    return state;
}

void Optimizer::check_state_dict(const State& state, const std::string& origin) const {
    require_training("load_state_dict()");
    for (const auto& [name, tensor] : kept_) {
        const auto given = state.tensors.find(name);
        check(given != state.tensors.end() && given->second.shape() == tensor.shape(),
              "'{}' does not hold '{}' of this optimiser for {} parameters", origin, name,
              values_.numel());
    }
    for (const auto& [name, tensor] : state.tensors) {
        check(kept_.contains(name), "'{}' holds '{}', which belongs to another optimiser", origin,
              name);
    }
    const auto require_number = [&](const std::string& name) {
        check(state.numbers.contains(name), "'{}' does not hold the number '{}' of this optimiser",
              origin, name);
    };
    require_number("steps");
    for (const auto& [name, number] : numbers_) {
        require_number(name);
    }
    for (const auto& [name, number] : state.numbers) {
        check(name == "steps" || numbers_.contains(name),
              "'{}' holds the number '{}', which belongs to another optimiser", origin, name);
    }
}

void Optimizer::load_state_dict(const State& state, const std::string& origin) {
    check_state_dict(state, origin);
    for (const auto& [name, tensor] : kept_) {
        tensor.copy_from(state.tensors.at(name));
    }
    for (auto& [name, number] : numbers_) {
        number = state.numbers.at(name);
    }
    steps_ = int64_t(state.numbers.at("steps"));
}

std::vector<std::string> optimizer_kinds() {
    return {"schedule_free", "adamw", "sgd"};
}

std::unique_ptr<Optimizer> make_optimizer(const std::string& kind, const Tensor& values,
                                          const Tensor& grads, const OptimizerSettings& settings) {
    if (kind == "sgd") {
        return std::make_unique<Sgd>(values, grads, settings);
    }
    if (kind == "adamw") {
        return std::make_unique<AdamW>(values, grads, settings);
    }
    check(kind == "schedule_free", "optimizer: expected sgd, adamw or schedule_free, found '{}'",
          kind);
    return std::make_unique<ScheduleFreeAdamW>(values, grads, settings);
}

const EnumNames<Schedule>& enum_names(Schedule) {
    static const EnumNames<Schedule> names = {{Schedule::constant, "constant"},
                                              {Schedule::cosine, "cosine"},
                                              {Schedule::linear, "linear"}};
    return names;
}

}  // namespace smoe
