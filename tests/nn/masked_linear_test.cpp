// Masks: how they are drawn, what they do to a layer, and which are refused. The layer is compared
// with its formula written out.
// Read next: feed_forward_test.cpp.
#include <doctest/doctest.h>

#include "core/check.h"
#include "nn/feed_forward.h"

namespace smoe {
namespace {

real kept_share(const Tensor& mask) {
    real kept = 0;
    for (const real entry : mask.values()) {
        kept += entry;
    }
    return kept / real(mask.numel());
}

}  // namespace

TEST_CASE("masks: drawn from the seed, one stream a layer, at the rate asked for") {
    const MaskDraw draw{.num_experts = 10, .rate = 0.2, .seed = 3, .stream = 0};
    const Tensor mask = draw_masks(draw, 2000);
    CHECK(kept_share(mask) > 0.78);
    CHECK(kept_share(mask) < 0.82);
    const Tensor again = draw_masks(draw, 2000);
    const Tensor other = draw_masks({.num_experts = 10, .rate = 0.2, .seed = 4, .stream = 0}, 2000);
    const Tensor next = draw_masks({.num_experts = 10, .rate = 0.2, .seed = 3, .stream = 1}, 2000);
    int64_t other_differs = 0, next_differs = 0;
    for (int64_t i = 0; i < mask.numel(); ++i) {
        CHECK(mask.data()[i] == again.data()[i]);
        other_differs += mask.data()[i] != other.data()[i];
        next_differs += mask.data()[i] != next.data()[i];
    }
    CHECK(other_differs > 4000);  // 0.32 of 20000 are expected
    CHECK(next_differs > 4000);
    CHECK(kept_share(draw_masks({.num_experts = 2, .rate = 0, .seed = 1}, 50)) == 1);
}

TEST_CASE("masks: impossible draws and experts without a neuron are refused") {
    CHECK_THROWS_AS(draw_masks({.num_experts = 0, .rate = 0.2}, 4), Error);
    CHECK_THROWS_AS(draw_masks({.num_experts = 2, .rate = 1}, 4), Error);
    CHECK_THROWS_AS(draw_masks({.num_experts = 2, .rate = -0.1}, 4), Error);
    Rng rng(1);
    CHECK_THROWS_WITH_AS(
        MaskedLinear(Scope{}, 2, 2, {.num_experts = 50, .rate = 0.9, .seed = 1}, rng),
        doctest::Contains("would keep none"), Error);

    MaskedLinear layer(Scope{}, 2, 3, {.num_experts = 2, .rate = 0, .seed = 1}, rng);
    auto state = layer.state_dict();
    state["linear.bias"] = Tensor::full({3}, 7);
    state["mask"] = Tensor::from({2, 3}, {1, 0, 1, 0, 0, 0});
    CHECK_THROWS_WITH_AS(layer.load_state_dict(state, "file"),
                         doctest::Contains("'file': masks: expert 1"), Error);
    state["mask"] = Tensor::from({2, 3}, {1, 0, 0.5, 1, 0, 0});
    CHECK_THROWS_WITH_AS(layer.load_state_dict(state, "file"),
                         doctest::Contains("other than 0 and 1"), Error);
    // Nothing of either was taken.
    CHECK(std::abs(layer.linear.bias->value().data()[0]) < 1);
    CHECK(layer.mask.data()[1] == 1);
    CHECK(layer.masks().data()[1] == 1);
}

TEST_CASE("masked linear: (x W^T + b) m / mean(m), and the plain layer without labels") {
    Rng rng(5);
    MaskedLinear layer(Scope{}, 3, 4, {.num_experts = 3, .rate = 0.5, .seed = 2}, rng);
    auto state = layer.state_dict();
    state["mask"] = Tensor::from({3, 4}, {1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0}).clone();
    layer.load_state_dict(state, "test");
    const Tensor x = uniform_tensor({5, 3}, 1, rng);
    const Experts experts = {0, 1, 2, 1, 2};
    const Tensor y = layer.forward(Variable(x), experts).value();
    const Tensor dense = layer.forward(Variable(x), {}).value();
    for (int64_t n = 0; n < 5; ++n) {
        const real* const mask = layer.mask.data() + experts[size_t(n)] * 4;
        const real mean = (mask[0] + mask[1] + mask[2] + mask[3]) / 4;
        for (int64_t o = 0; o < 4; ++o) {
            real value = layer.linear.bias->value().data()[o];
            for (int64_t i = 0; i < 3; ++i) {
                value += x.data()[n * 3 + i] * layer.linear.weight.value().data()[o * 3 + i];
            }
            CHECK(y.data()[n * 4 + o] == doctest::Approx(value * mask[o] / mean).epsilon(1e-5));
            CHECK(dense.data()[n * 4 + o] == doctest::Approx(value).epsilon(1e-5));
        }
    }
    CHECK_THROWS_AS(layer.forward(Variable(x), {0, 1, 2, 3, 0}), Error);
    CHECK_THROWS_AS(layer.forward(Variable(x), {0, 1}), Error);
}

}  // namespace smoe
