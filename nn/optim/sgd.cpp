// Sgd: the formula of sgd.h in one pass over the flat buffers. It keeps only the momentum; its
// factor is beta1 of the settings.
// Read next: adamw.cpp.
#include "nn/optim/sgd.h"

#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

Sgd::Sgd(const Tensor& values, const Tensor& grads, const OptimizerSettings& settings)
    : Optimizer(values, grads, settings) {
    kept_["m"] = Tensor::zeros(values.shape());
}

void Sgd::update(const Part& part) {
    const real lr = real(part.lr), momentum = real(settings_.beta1);
    const real decay = real(part.weight_decay);
    real* const value = values_.data() + part.begin;
    real* const m = kept_.at("m").data() + part.begin;
    const real* const grad = grads_.data() + part.begin;
    parallel_for(part.end - part.begin, elementwise_grain, [&](int64_t begin, int64_t end) {
#pragma omp simd
        for (int64_t i = begin; i < end; ++i) {
            m[i] = momentum * m[i] + (grad[i] + decay * value[i]);
            value[i] -= lr * m[i];
        }
    });
}

}  // namespace smoe
