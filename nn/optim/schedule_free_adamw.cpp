// ScheduleFreeAdamW: one pass over the flat buffers. y and z are kept; x is computed on request, so
// that a step touches no third sequence.
// Read next: tests/nn/optimizer_test.cpp, which keeps all three.
#include "nn/optim/schedule_free_adamw.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

ScheduleFreeAdamW::ScheduleFreeAdamW(const Tensor& values, const Tensor& grads,
                                     const OptimizerSettings& settings)
    : Optimizer(values, grads, settings) {
    check(settings.beta1 > 0, "optimizer: schedule-free AdamW needs a beta1 above 0, found {}",
          settings.beta1);
    check(
        settings.schedule == Schedule::constant,
        "optimizer: schedule-free AdamW takes no schedule, for its average stands in place of one: "
        "take the constant one, or adamw or sgd");
    kept_["z"] = values.clone();
    kept_["v"] = Tensor::zeros(values.shape());
    numbers_ = {{"lr_max", 0}, {"weight_sum", 0}};
}

void ScheduleFreeAdamW::begin_step() {
    double& lr_max = numbers_.at("lr_max");
    double& weight_sum = numbers_.at("weight_sum");
    lr_max = std::max(lr_max, learning_rate());
    weight_sum += lr_max * lr_max;
    c_ = weight_sum > 0 ? lr_max * lr_max / weight_sum : 0;
}

void ScheduleFreeAdamW::update(const Part& part) {
    const real c = real(c_), lr = real(part.lr), eps = real(settings_.eps);
    // y = (1 - beta1) z + beta1 x holds before and after the step. With z' = z - lr d and
    // x' = (1 - c) x + c z', and beta1 x = y - (1 - beta1) z put in, x is gone:
    //     y' = (1 - c) y + c z + lr (beta1 (1 - c) - 1) d
    const real along = real(part.lr * (settings_.beta1 * (1 - c_) - 1));
    const real decay = real(part.weight_decay);
    // 1 - beta2 is computed before rounding: from a rounded 0.999 it would be 1e-5 off.
    const real beta2 = real(settings_.beta2), fresh2 = real(1 - settings_.beta2);
    const real v_scale = real(1 / (1 - std::pow(settings_.beta2, double(steps_) + 1)));
    real* const y = values_.data() + part.begin;
    real* const z = kept_.at("z").data() + part.begin;
    real* const v = kept_.at("v").data() + part.begin;
    const real* const g = grads_.data() + part.begin;
    parallel_for(part.end - part.begin, elementwise_grain, [&](int64_t begin, int64_t end) {
#pragma omp simd
        for (int64_t i = begin; i < end; ++i) {
            v[i] = beta2 * v[i] + fresh2 * g[i] * g[i];
            const real d = g[i] / (std::sqrt(v[i] * v_scale) + eps) + decay * y[i];
            y[i] = y[i] + c * (z[i] - y[i]) + along * d;
            z[i] -= lr * d;
        }
    });
}

Tensor ScheduleFreeAdamW::averaged_values() const {
    const Tensor x = Tensor::empty(values_.shape());
    const real factor = real(1 - 1 / settings_.beta1);
    const real* const y = values_.data();
    const real* const z = kept_.at("z").data();
    for (int64_t i = 0; i < x.numel(); ++i) {
        x.data()[i] = y[i] + factor * (z[i] - y[i]);
    }
    return x;
}

}  // namespace smoe
