// AdamW: the formula of adamw.h in one pass over the flat buffers, whichever parameters lie in
// them.
// Read next: schedule_free_adamw.cpp.
#include "nn/optim/adamw.h"

#include <cmath>

#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

AdamW::AdamW(const Tensor& values, const Tensor& grads, const OptimizerSettings& settings)
    : Optimizer(values, grads, settings) {
    kept_["m"] = Tensor::zeros(values.shape());
    kept_["v"] = Tensor::zeros(values.shape());
}

void AdamW::update(const Part& part) {
    const double count = double(steps_) + 1;
    const real lr = real(part.lr), eps = real(settings_.eps);
    // 1 - beta is computed before rounding: from a rounded 0.999 it would be 1e-5 off.
    const real beta1 = real(settings_.beta1), fresh1 = real(1 - settings_.beta1);
    const real beta2 = real(settings_.beta2), fresh2 = real(1 - settings_.beta2);
    const real decay = real(part.weight_decay);
    const real m_scale = real(1 / (1 - std::pow(settings_.beta1, count)));
    const real v_scale = real(1 / (1 - std::pow(settings_.beta2, count)));
    real* const value = values_.data() + part.begin;
    real* const m = kept_.at("m").data() + part.begin;
    real* const v = kept_.at("v").data() + part.begin;
    const real* const g = grads_.data() + part.begin;
    parallel_for(part.end - part.begin, elementwise_grain, [&](int64_t begin, int64_t end) {
#pragma omp simd
        for (int64_t i = begin; i < end; ++i) {
            m[i] = beta1 * m[i] + fresh1 * g[i];
            v[i] = beta2 * v[i] + fresh2 * g[i] * g[i];
            value[i] -=
                lr * (m[i] * m_scale / (std::sqrt(v[i] * v_scale) + eps) + decay * value[i]);
        }
    });
}

}  // namespace smoe
