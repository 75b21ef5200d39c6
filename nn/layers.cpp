// Embedding, Dropout, LayerNorm, RMSNorm: parameters and their first values; the arithmetic is in
// autograd/ops.
// Read next: attention.cpp.
#include "nn/layers.h"

#include "autograd/ops.h"
#include "core/check.h"
#include "nn/init.h"

namespace smoe {

Embedding::Embedding(const Scope& scope, int64_t count, int64_t width, Rng& rng)
    : Module(scope), weight(register_parameter("weight", normal_tensor({count, width}, rng))) {}

Variable Embedding::forward(const std::vector<int32_t>& ids) const {
    return embedding(weight, ids);
}

LayerNorm::LayerNorm(const Scope& scope, int64_t width)
    : Module(scope),
      weight(register_parameter("weight", Tensor::full({width}, 1))),
      bias(register_parameter("bias", Tensor::zeros({width}))) {}

Variable LayerNorm::forward(const Variable& x) const {
    return layer_norm(x, weight, bias);
}

Variable LayerNorm::forward(const Variable& x, const Variable& branch,
                            const Dropout::Draw& draw) const {
    return residual_layer_norm(x, branch, weight, bias, draw.p, draw.seed);
}

RMSNorm::RMSNorm(const Scope& scope, int64_t width)
    : Module(scope), weight(register_parameter("weight", Tensor::full({width}, 1))) {}

Variable RMSNorm::forward(const Variable& x) const {
    return rms_norm(x, weight);
}

Dropout::Dropout(const Scope& scope, double p) : Module(scope), p_(p) {
    check(p >= 0 && p < 1, "dropout: the probability must be in [0, 1), found {}", p);
}

Dropout::Draw Dropout::draw(Rng* rng) const {
    if (!training() || p_ == 0) {
        return {0, 0};
    }
    check(rng != nullptr,
          "dropout: training mode needs a random stream to draw from; hand one in, or call eval()");
    return {p_, rng->bits64()};
}

Variable Dropout::forward(const Variable& x, const Draw& draw) const {
    return dropout(x, draw.p, draw.seed);
}

}  // namespace smoe
