// Gate: scores, choice, and the bias that follows the load.
// Read next: models/transformer/decoder.cpp, which calls route in each block.
#include "nn/gate.h"

#include <cmath>

#include "autograd/autocast.h"
#include "core/check.h"
#include "core/matvec.h"
#include "core/threads.h"
#include "core/vector_math.h"
#include "nn/init.h"

namespace smoe {
namespace {

const GateSettings& checked(const GateSettings& settings) {
    check(settings.balance >= 0 && settings.balance <= 1,
          "gate: the balance step must be in [0, 1], found {}", settings.balance);
    check(settings.balance_steps >= 1, "gate: rows must be counted over at least 1 step, found {}",
          settings.balance_steps);
    return settings;
}

Tensor start(int64_t width, int64_t num_experts, Rng& init) {
    return uniform_tensor({num_experts, width}, 1 / std::sqrt(double(width)), init);
}

}  // namespace

Gate::Gate(const Scope& scope, int64_t width, int64_t num_experts, const GateSettings& settings,
           Rng& init)
    : BlockRouter(scope, num_experts),
      settings_(checked(settings)),
      trained_(settings.learns ? &register_parameter("weight", start(width, num_experts, init))
                               : nullptr),
      fixed_(settings.learns
                 ? Variable()
                 : Variable(register_buffer("weight", start(width, num_experts, init)))),
      bias_(register_buffer("bias", Tensor::zeros({num_experts}), BufferUse::running)),
      load_(register_buffer("load", Tensor::full({num_experts}, 1 / real(num_experts)),
                            BufferUse::running)) {}

std::vector<SavedTensor> Gate::saves(int64_t width, int64_t num_experts, bool learns) {
    return {{"weight", {num_experts, width}, learns},
            {"bias", {num_experts}, false},
            {"load", {num_experts}, false}};
}

int32_t Gate::best(const real* scores) const {
    int32_t best = 0;
    real most = scores[0] / 2 + bias_.data()[0];
    for (int64_t k = 1; k < num_experts(); ++k) {
        const real value = scores[k] / 2 + bias_.data()[k];
        if (value > most) {
            most = value;
            best = int32_t(k);
        }
    }
    return best;
}

BlockRouter::Choice Gate::choose(const Variable& x, const Sequences&) const {
    const int64_t K = num_experts();
    const Autocast exact(Precision::float32);  // close scores must not change places
    const Variable scores = scale(sigmoid(linear(x, weight())), 2);  // (N, K)
    Experts experts(size_t(x.shape()[0]));
    parallel_for(x.shape()[0], row_grain(K), [&](int64_t begin, int64_t end) {
        for (int64_t n = begin; n < end; ++n) {
            experts[size_t(n)] = best(scores.value().data() + n * K);
        }
    });
    return {std::move(experts), scores};
}

StepNeeds Gate::step_needs(int64_t rows) const {
    return {.parts = 0, .numbers = rows * num_experts()};
}

bool Gate::choose_step(const StepRows& rows, const real* x, StepMemory& memory,
                       std::span<int32_t> experts, std::span<real> weights) const {
    const int64_t M = rows.size(), K = num_experts(), C = weight().shape()[1];
    real* const scores = memory.numbers.data();  // (M, K)
    multiply_rows(M, x, C, {weight().value().data(), C, K}, scores, K);
    for (int64_t m = 0; m < M; ++m) {
        for (int64_t k = 0; k < K; ++k) {
            real& score = scores[m * K + k];
            score = 2 / (1 + std::exp(-score));
        }
        int32_t& expert = experts[size_t(m)];
        expert = expert == no_expert ? best(scores + m * K) : expert;
        weights[size_t(m)] = scores[m * K + expert];
    }
    return true;
}

void Gate::balance(std::span<const int64_t> counts) {
    const int64_t K = num_experts();
    double rows = 0;
    for (const int64_t count : counts) {
        rows += double(count);
    }
    const double share = 1.0 / double(K), kept = 1 - 1.0 / double(settings_.balance_steps);
    for (int64_t k = 0; k < K; ++k) {
        real& load = load_.data()[k];
        load = real(kept * double(load) + (1 - kept) * double(counts[size_t(k)]) / rows);
        const double lack = share - double(load);
        bias_.data()[k] += real(lack > 0 ? settings_.balance : lack < 0 ? -settings_.balance : 0);
    }
}

}  // namespace smoe
