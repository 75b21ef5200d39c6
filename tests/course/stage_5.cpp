// Stage 5: layers, and the mask that makes an expert of a network.
// Read next: tests/nn/optimizer_test.cpp, which is stage 6; stage_8.cpp.
#include "autograd/ops/normalise.h"
#include "nn/layers.h"
#include "nn/linear.h"
#include "tests/autograd/textbook.h"
#include "tests/course/course.h"

using namespace smoe;

namespace {

const Tensors norm_inputs = {random_tensor({4, 6}, 1), random_tensor({6}, 2),
                             random_tensor({6}, 3)};

Tensor textbook_norm(const Tensors& in) {
    return textbook::layer_norm(in[0], in[1], in[2], double(norm_eps));
}

}  // namespace

TEST_CASE("stage 5: Linear::forward") {
    Rng rng(1);
    for (const bool with_bias : {false, true}) {
        const Linear layer(Scope{}, 3, 5, with_bias, rng);
        const Tensor x = random_tensor({4, 3}, 2);
        check_equal(
            with_bias ? "a Linear with a bias" : "a Linear without a bias",
            layer.forward(Variable(x)).value(),
            textbook::linear(x, layer.weight.value(), with_bias ? layer.bias->value() : Tensor()));
        CHECK(layer.forward(Variable(x)).requires_grad());
    }
}

TEST_CASE("stage 5: normalise_row") {
    const Tensors& in = norm_inputs;
    check_equal("layer_norm", layer_norm(Variable(in[0]), Variable(in[1]), Variable(in[2])).value(),
                textbook_norm(in));
    const Tensor ones = Tensor::full({3}, 1), zeros = Tensor::zeros({3});
    check_equal(
        "layer_norm of a constant row",
        layer_norm(Variable(Tensor::full({1, 3}, 7)), Variable(ones), Variable(zeros)).value(),
        Tensor::zeros({1, 3}));
    // The mean is large: subtract it before anything is squared.
    const Tensor far = Tensor::from({1, 3}, {1e9, 1e9 + 1, 1e9 + 2});
    check_equal("layer_norm of (1e9, 1e9 + 1, 1e9 + 2)",
                layer_norm(Variable(far), Variable(ones), Variable(zeros)).value(),
                textbook::layer_norm(far, ones, zeros, double(norm_eps)));
}

TEST_CASE("stage 5: normalise_row returns") {
    Tensor row = Tensor::from({4}, {1, 2, 4, 5});
    const Tensor w = Tensor::full({4}, 1), b = Tensor::zeros({4});
    const RowMoments moments = normalise_row(4, row.data(), w.data(), b.data(), 0, row.data());
    CHECK_MESSAGE(std::abs(moments.mean - 3) < 1e-12,
                  "normalise_row of (1, 2, 4, 5) should return the mean 3, found " << moments.mean);
    CHECK_MESSAGE(std::abs(moments.rstd - 1 / std::sqrt(2.5)) < 1e-12,
                  "and rstd 0.63246, found " << moments.rstd);
    check_equal("normalise_row of (1, 2, 4, 5), with y in the place of x,", row,
                Tensor::from({4}, {-2 / std::sqrt(2.5), -1 / std::sqrt(2.5), 1 / std::sqrt(2.5),
                                   2 / std::sqrt(2.5)}));
}

TEST_CASE("stage 5: normalise_row_backward") {
    check_op(
        "layer_norm", norm_inputs,
        [](const Variables& in) { return layer_norm(in[0], in[1], in[2]); }, textbook_norm);
}

TEST_CASE("stage 5: mask_rows") {
    const Tensor masks = Tensor::from({3, 4}, {1, 0, 1, 0, 0, 0, 2, 2, 1, 1, 1, 1});
    const std::vector<int32_t> experts = {2, 0, 1, 0, 2};
    check_op(
        "mask_rows", {random_tensor({5, 4}, 1)},
        [=](const Variables& in) { return mask_rows(in[0], masks, experts); },
        [=](const Tensors& in) { return textbook::mask_rows(in[0], masks, experts); });
    const Variable x(Tensor::zeros({2, 4}));
    check_refused("mask_rows", "experts 0 and 3 where there are three masks", [=] {
        mask_rows(x, masks, {0, 3});
    });
    check_refused("mask_rows", "one expert for two rows", [=] { mask_rows(x, masks, {0}); });
    check_refused("mask_rows", "masks (3, 2) for x (2, 4)", [=] {
        mask_rows(x, Tensor::zeros({3, 2}), {0, 1});
    });
}
