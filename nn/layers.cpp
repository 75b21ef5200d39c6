// Embedding, Dropout, LayerNorm, RMSNorm: parameters and their initial values; the arithmetic is in
// autograd/ops.
// Read next: attention.cpp.
#include "nn/layers.h"

#include "autograd/ops.h"
#include "autograd/ops/normalise.h"
#include "core/check.h"
#include "core/threads.h"
#include "nn/init.h"

namespace smoe {
namespace {

// x (rows, C) += the sum of the branch's parts; then `finish` is applied to each row.
template <class Finish>
void add_branch(int64_t rows, int64_t C, const StepParts& branch, real* x, const Finish& finish) {
    parallel_for(rows, row_grain(C * branch.count), [&](int64_t begin, int64_t end) {
        for (int64_t m = begin; m < end; ++m) {
            real* const sum = branch.data + m * C;
            for (int64_t part = 1; part < branch.count; ++part) {
                axpy(C, 1, sum + part * rows * C, sum);
            }
            axpy(C, 1, sum, x + m * C);
            finish(x + m * C);
        }
    });
}

}  // namespace

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

void LayerNorm::step(int64_t rows, const StepParts& branch, real* x) const {
    const int64_t C = weight.shape()[0];
    add_branch(rows, C, branch, x, [&](real* row) {
        normalise_row(C, row, weight.value().data(), bias.value().data(), norm_eps, row);
    });
}

RMSNorm::RMSNorm(const Scope& scope, int64_t width)
    : Module(scope), weight(register_parameter("weight", Tensor::full({width}, 1))) {}

Variable RMSNorm::forward(const Variable& x) const {
    return rms_norm(x, weight);
}

void RMSNorm::step(int64_t rows, const StepParts& branch, real* x) const {
    const int64_t C = weight.shape()[0];
    add_branch(rows, C, branch, x,
               [&](real* row) { rms_normalise_row(C, row, weight.value().data(), norm_eps, row); });
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
