// Autocast: which ops round their factors, that forward decides for backward, and that the forms of
// the feed-forward network still agree. The product itself is tested in packed_gemm_test.cpp.
// Read next: extremes_test.cpp.
#include "autograd/autocast.h"

#include <doctest/doctest.h>

#include <numeric>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "autograd/recompute.h"
#include "tests/autograd/gradient_check.h"

using namespace smoe;

namespace {

struct Outcome {
    std::vector<Tensor> tensors;  // the result, and the gradient of each input

    double distance(const Outcome& other) const {
        double most = 0;
        for (size_t i = 0; i < tensors.size(); ++i) {
            most = std::max(most, double(difference(tensors[i], other.tensors[i])));
        }
        return most;
    }
};

Outcome run(const Op& op, const std::vector<Shape>& shapes, Precision forward,
            Precision backwards) {
    std::vector<Variable> inputs;
    for (size_t i = 0; i < shapes.size(); ++i) {
        inputs.emplace_back(random_tensor(shapes[i], 1 + i), true);
    }
    Variable y;
    {
        const Autocast autocast(forward);
        y = op(inputs);
    }
    const Autocast autocast(backwards);
    backward(y, random_tensor(y.shape(), 99));
    Outcome outcome{{y.value()}};
    for (const Variable& input : inputs) {
        outcome.tensors.push_back(input.grad());
    }
    return outcome;
}

constexpr int64_t N = 37, C = 24, F = 40, K = 3;

ExpertMasks some_masks() {
    const auto table = [](int64_t width, int64_t every) {
        const Tensor masks = Tensor::zeros({K, width});
        for (int64_t k = 0; k < K; ++k) {
            for (int64_t i = 0; i < width; ++i) {
                masks.data()[k * width + i] = (i + k) % every == 0 ? 0 : real(1.25);
            }
        }
        return masks;
    };
    return {table(F, 3), table(C, 4)};
}

std::vector<int32_t> some_experts() {
    std::vector<int32_t> experts(size_t(N), 0);
    for (size_t n = 0; n < experts.size(); ++n) {
        experts[n] = int32_t(n * n % size_t(K));
    }
    return experts;
}

const std::vector<Shape> network = {{N, C}, {F, C}, {F}, {C, F}, {C}};

Variable masked(const std::vector<Variable>& in) {
    return feed_forward(in[0], {in[1], in[2], in[3], in[4]}, some_masks(), some_experts());
}

Variable sparse(const std::vector<Variable>& in) {
    return sparse_feed_forward(in[0], {in[1], in[2], in[3], in[4]}, some_masks(),
                               ExpertGroups(some_experts(), K));
}

// Expert k keeps the blocks k and k + 2 of 8 neurons.
ExpertMasks block_masks() {
    const ExpertMasks masks{Tensor::zeros({K, F}), some_masks().output};
    for (int64_t k = 0; k < K; ++k) {
        for (int64_t i = 0; i < F; ++i) {
            masks.hidden.data()[k * F + i] = i / 8 == k || i / 8 == k + 2 ? real(1.25) : 0;
        }
    }
    return masks;
}

Variable masked_blocks(const std::vector<Variable>& in) {
    return feed_forward(in[0], {in[1], in[2], in[3], in[4]}, block_masks(), some_experts());
}

Variable blocks(const std::vector<Variable>& in) {
    return block_feed_forward(in[0], {in[1], in[2], in[3], in[4]}, block_masks(),
                              ExpertBlocks(block_masks().hidden), some_experts());
}

std::vector<int32_t> some_targets() {
    std::vector<int32_t> targets(size_t(N), 0);
    std::iota(targets.begin(), targets.end(), 0);
    return targets;
}

struct Case {
    const char* name;
    Op op;
    std::vector<Shape> shapes;
};

const Case cases[] = {
    {"matmul", [](const auto& in) { return matmul(in[0], in[1]); }, {{N, C}, {C, F}}},
    {"linear", [](const auto& in) { return linear(in[0], in[1], in[2]); }, {{N, C}, {F, C}, {F}}},
    {"feed_forward", masked, network},
    {"sparse_feed_forward", sparse, network},
    {"block_feed_forward", blocks, network},
    {"linear_cross_entropy",
     [](const auto& in) { return linear_cross_entropy(in[0], in[1], some_targets()); },
     {{N, C}, {F, C}}}};

constexpr bool rounds = sizeof(real) == sizeof(float);

}  // namespace

TEST_CASE("autocast: products are near those of float32, and forward decides for backward") {
    for (const Case& each : cases) {
        CAPTURE(each.name);
        const auto in = [&](Precision forward, Precision backwards) {
            return run(each.op, each.shapes, forward, backwards);
        };
        const Outcome exact = in(Precision::float32, Precision::float32);
        const Outcome rounded = in(Precision::bfloat16, Precision::bfloat16);
        CHECK(exact.distance(in(Precision::float32, Precision::bfloat16)) == 0);
        CHECK(rounded.distance(in(Precision::bfloat16, Precision::float32)) == 0);
        for (size_t i = 0; i < exact.tensors.size(); ++i) {
            CAPTURE(i);
            const double apart = difference(exact.tensors[i], rounded.tensors[i]);
            CHECK(apart <= (rounds ? 0.05 : 0));
        }
        if (rounds) {
            CHECK(exact.distance(rounded) > 1e-4);
        }
    }
}

TEST_CASE("autocast: the other forms of a feed-forward network are the masked one") {
    const auto in = [](const Op& op) {
        return run(op, network, Precision::bfloat16, Precision::bfloat16);
    };
    // Sums in another order may round a hidden neuron to its neighbour.
    CHECK(in(masked).distance(in(sparse)) < (rounds ? 0.02 : 1e-12));
    CHECK(in(masked_blocks).distance(in(blocks)) < (rounds ? 0.02 : 1e-12));
}

TEST_CASE("autocast: what is computed again in backward is computed in the same precision") {
    const auto again = [](const std::vector<Variable>& in) {
        return recompute(
            [](std::span<const Variable> part) {
                return masked({part.begin(), part.end()});
            },
            in);
    };
    const auto in = [](const Op& op) {
        return run(op, network, Precision::bfloat16, Precision::float32);
    };
    CHECK(in(masked).distance(in(again)) == 0);
}

TEST_CASE("autocast: ends with its scope") {
    CHECK(Autocast::precision() == Precision::float32);
    {
        const Autocast outer(Precision::bfloat16);
        {
            const Autocast inner(Precision::float32);
            CHECK(Autocast::precision() == Precision::float32);
        }
        CHECK(Autocast::precision() == Precision::bfloat16);
    }
    CHECK(Autocast::precision() == Precision::float32);
}
