// One solution of the exercise nn_lion.cpp; write your own first.
// Read next: tests/exercises/nn_lion.cpp, its test.
#include <memory>

#include "core/threads.h"
#include "core/vector_math.h"
#include "nn/optim/optimizer.h"

namespace {

using namespace smoe;

class Lion : public Optimizer {
  public:
    Lion(const Tensor& values, const Tensor& grads, const OptimizerSettings& settings)
        : Optimizer(values, grads, settings) {
        kept_["m"] = Tensor::zeros(values.shape());
    }

  private:
    void update(const Part& part) override {
        real* const value = values_.data() + part.begin;
        real* const m = kept_.at("m").data() + part.begin;
        const real* const g = grads_.data() + part.begin;
        const real lr = real(part.lr), decay = real(part.weight_decay);
        const real beta1 = real(settings_.beta1), beta2 = real(settings_.beta2);
        parallel_for(part.end - part.begin, elementwise_grain, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                const real u = beta1 * m[i] + (1 - beta1) * g[i];
                value[i] -= lr * (real((u > 0) - (u < 0)) + decay * value[i]);
                m[i] = beta2 * m[i] + (1 - beta2) * g[i];
            }
        });
    }
};

}  // namespace

std::unique_ptr<Optimizer> make_lion(const Tensor& values, const Tensor& grads,
                                     const OptimizerSettings& settings) {
    return std::make_unique<Lion>(values, grads, settings);
}
