// Inference steps: a layer computes row by row what forward computes for whole sequences, with rows
// in any pieces, on any number of threads.
// Read next: tests/models/transformer/incremental_decoder_test.cpp, the same of a whole model.
#include "nn/step.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "autograd/ops.h"
#include "core/threads.h"
#include "nn/attention.h"
#include "nn/layers.h"
#include "nn/masked_feed_forward.h"
#include "tests/autograd/gradient_check.h"

namespace smoe {
namespace {

constexpr double tolerance = sizeof(real) == 8 ? 1e-12 : 1e-4;  // sums of some hundred terms

// SequenceRows first .. last - 1 of sequences end to end with these offsets.
struct SequenceRows {
    std::vector<int32_t> slots, experts;
    std::vector<int64_t> positions;

    SequenceRows(const std::vector<int64_t>& offsets, const Experts& of_rows, int64_t first,
                 int64_t last) {
        for (int32_t b = 0; size_t(b) + 1 < offsets.size(); ++b) {
            for (int64_t n = offsets[size_t(b)]; n < offsets[size_t(b) + 1]; ++n) {
                if (n >= first && n < last) {
                    slots.push_back(b);
                    positions.push_back(n - offsets[size_t(b)]);
                    experts.push_back(of_rows.empty() ? no_expert : of_rows[size_t(n)]);
                }
            }
        }
    }
    StepRows view() const { return {slots, positions, experts}; }
};

// The sum of the parts, (rows, C).
Tensor total(const StepParts& parts, int64_t rows, int64_t C) {
    const Tensor sum = Tensor::zeros({rows, C});
    for (int64_t part = 0; part < parts.count; ++part) {
        for (int64_t i = 0; i < rows * C; ++i) {
            sum.data()[i] += parts.data[part * rows * C + i];
        }
    }
    return sum;
}

// The steps' outputs (N, C) of all rows, handed in by pieces of this many.
template <class Step>
Tensor by_pieces(int64_t N, int64_t C, int64_t piece, const Step& step) {
    const Tensor out = Tensor::empty({N, C});
    for (int64_t first = 0; first < N; first += piece) {
        const int64_t last = std::min(N, first + piece);
        step(first, last, out.narrow(first, last - first));
    }
    return out;
}

bool same_bits(const Tensor& a, const Tensor& b) {
    return std::equal(a.values().begin(), a.values().end(), b.values().begin());
}

TEST_CASE("steps: attention, position by position and in pieces") {
    Rng rng(1);
    const std::vector<int64_t> offsets = {0, 5, 6, 6, 71};
    const Sequences sequences(std::vector<int32_t>(71, 0), offsets);
    for (const auto& sizes :
         std::vector<std::pair<int64_t, int64_t>>{{24, 3}, {140, 70}, {134, 67}}) {
        const int64_t C = sizes.first, heads = sizes.second;
        CAPTURE(C);
        const CausalSelfAttention layer(Scope{}, C, heads, rng);
        const Tensor x = random_tensor({71, C}, 5);
        for (real& number : x.values()) {
            number *= 100;  // scores whose exponentials overflow
        }
        const Tensor expected = layer.forward(Variable(x), sequences).value();
        for (const int64_t piece : {1, 3, 71}) {
            CAPTURE(piece);
            const CausalSelfAttention::Cache cache = layer.make_cache(4, 65);
            StepMemory memory;
            memory.reserve(layer.step_needs(piece, 65), piece, C);
            const Tensor out = by_pieces(71, C, piece, [&](int64_t first, int64_t last, Tensor to) {
                const SequenceRows rows(offsets, {}, first, last);
                to.copy_from(total(layer.step(rows.view(), x.data() + first * C, cache, memory),
                                   last - first, C));
            });
            CHECK(difference(out, expected) < tolerance);
        }
    }
}

TEST_CASE("steps: attention goes on from the copy of a sequence") {
    Rng rng(1);
    const CausalSelfAttention layer(Scope{}, 24, 3, rng);
    const Tensor x = random_tensor({8, 24}, 5);
    const CausalSelfAttention::Cache cache = layer.make_cache(2, 8);
    StepMemory memory;
    memory.reserve(layer.step_needs(8, 8), 8, 24);
    const SequenceRows first({0, 7}, {}, 0, 7), last({0, 0, 8}, {}, 7, 8);
    layer.step(first.view(), x.data(), cache, memory);
    layer.copy(cache, 0, 1, 7);
    const Tensor expected =
        layer.forward(Variable(x), Sequences::of(std::vector<int32_t>(8, 0))).value().narrow(7, 1);
    const Tensor out = total(layer.step(last.view(), x.data() + 7 * 24, cache, memory), 1, 24);
    CHECK(difference(out, expected) < tolerance);
}

TEST_CASE("steps: the feed-forward network, dense and with experts, few rows and many") {
    Rng rng(1);
    constexpr int64_t N = 70, C = 24, K = 5;
    for (const int64_t F : {40, 700}) {  // one part and three
        for (const double rate : {0.0, 0.3, 0.7}) {
            CAPTURE(F);
            CAPTURE(rate);
            MaskTables masks = draw_mask_tables("bernoulli", {.num_experts = K, .rate = rate},
                                                MaskWhere::both, C, F, Rng(2, 0), Rng(2, 1));
            masks.scale = rate == 0.3 ? MaskScale::inverse : MaskScale::root;
            const MaskedFeedForward layer(Scope{}, {C, F, K}, masks, rng);
            const std::vector<RowMatrix> step_weights = layer.step_weights(Precision::float32);
            const Tensor x = random_tensor({N, C}, 5);
            for (const bool dense : {true, false}) {
                Experts experts;
                for (int32_t n = 0; n < N && !dense; ++n) {
                    experts.push_back(n % int32_t(K));
                }
                const Tensor expected = layer.forward(Variable(x), Routing(experts, K)).value();
                for (const int64_t piece : {1, 3, 70}) {
                    CAPTURE(piece);
                    StepMemory memory;
                    memory.reserve(layer.step_needs(piece), piece, C);
                    const auto step = [&](int64_t first, int64_t last, Tensor to) {
                        const SequenceRows rows({0, N}, experts, first, last);
                        to.copy_from(total(
                            layer.step(rows.view(), x.data() + first * C, step_weights, memory),
                            last - first, C));
                    };
                    CHECK(difference(by_pieces(N, C, piece, step), expected) < tolerance);
                }
            }
        }
    }
}

TEST_CASE("steps: linear, layer norm and rms norm") {
    Rng rng(1);
    const Tensor x = random_tensor({40, 24}, 5), branch = random_tensor({40, 24}, 6);
    for (const bool with_bias : {false, true}) {
        const Linear layer(Scope{}, 24, 2000, with_bias, rng);  // several chunks of work
        const Tensor y = Tensor::empty({40, 2000});
        layer.step(40, x.data(), RowMatrix(layer.weight.value(), Precision::float32), y.data());
        CHECK(difference(y, layer.forward(Variable(x)).value()) < tolerance);
        // It multiplies with the weights that it is handed: these are zeros, so the bias is left.
        layer.step(40, x.data(), RowMatrix(Tensor::zeros({2000, 24}), Precision::float32),
                   y.data());
        const Tensor bias = with_bias ? layer.bias->value() : Tensor::zeros({2000});
        CHECK(std::ranges::equal(y.values().subspan(39 * 2000), bias.values()));
    }
    const LayerNorm norm(Scope{}, 24);
    const RMSNorm rms_norm(Scope{}, 24);
    for (int64_t c = 0; c < 24; ++c) {
        norm.weight.value().data()[c] = real(0.1 * double(c) - 1);
        rms_norm.weight.value().data()[c] = real(1 - 0.1 * double(c));
        norm.bias.value().data()[c] = real(3 - 0.2 * double(c));
    }
    // A row whose numbers hardly differ: here eps decides.
    std::fill_n(x.data(), 24, real(1));
    std::fill_n(branch.data(), 24, real(2));
    branch.data()[3] += real(0.001);
    const auto check_norm = [&](const auto& layer) {
        for (const int64_t parts : {1, 3}) {
            const Tensor cut = Tensor::empty({parts, 40, 24}), out = x.clone();
            for (int64_t i = 0; i < cut.numel(); ++i) {
                cut.data()[i] = branch.data()[i % branch.numel()] / real(parts);
            }
            layer.step(40, {cut.data(), parts}, out.data());
            const Tensor expected = layer.forward(add(Variable(x), Variable(branch))).value();
            CHECK(difference(out, expected) < (sizeof(real) == 8 ? 1e-11 : 2e-3));
            CHECK(difference(out.narrow(1, 39), expected.narrow(1, 39)) < tolerance);
        }
    };
    check_norm(norm);
    check_norm(rms_norm);
}

TEST_CASE("steps: the same bits for any number of threads") {
    const int before = threads();
    Rng rng(1);
    constexpr int64_t N = 20, C = 64, F = 900;
    const CausalSelfAttention attention(Scope{}, C, 8, rng);
    const Tensor ones = Tensor::full({1, F}, 1);
    const MaskedFeedForward ffn(Scope{}, {C, F, 1}, {ones, Tensor::full({1, C}, 1)}, rng);
    const LayerNorm norm(Scope{}, C);
    const CausalSelfAttention::Cache cache = attention.make_cache(1, N);
    const std::vector<RowMatrix> ffn_weights = ffn.step_weights(Precision::float32);
    const SequenceRows rows({0, N}, {}, 0, N);
    StepMemory memory;
    memory.reserve(attention.step_needs(N, N), N, C);
    memory.reserve(ffn.step_needs(N), N, C);
    const auto block = [&] {
        const Tensor x = random_tensor({N, C}, 5);
        norm.step(N, attention.step(rows.view(), x.data(), cache, memory), x.data());
        norm.step(N, ffn.step(rows.view(), x.data(), ffn_weights, memory), x.data());
        return x;
    };
    set_threads(1);
    const Tensor alone = block();
    for (const int count : {2, 3, 5}) {
        set_threads(count);
        CHECK(same_bits(block(), alone));
    }
    set_threads(before);
}

}  // namespace
}  // namespace smoe
