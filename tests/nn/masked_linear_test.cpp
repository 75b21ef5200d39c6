// What a mask does to a layer, and which masks are refused. The layer is compared with its formula
// written out.
// Read next: feed_forward_test.cpp.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "core/check.h"
#include "nn/init.h"
#include "nn/linear.h"
#include "tests/error_of.h"

namespace smoe {

TEST_CASE("masked linear: a table that does not fit is refused, also when it is loaded") {
    Rng rng(1);
    const auto refused = [&](const Tensor& table) {
        return error_of([&] { MaskedLinear(Scope{}, 2, 3, table, rng); });
    };
    CHECK(refused(Tensor::from({2, 3}, {1, 0, 1, 0, 0, 0})) ==
          "masks: expert 1 would keep none of the 3 neurons: lower the rate or take another mask "
          "seed");
    CHECK(refused(Tensor::from({1, 3}, {1, 0.5, 1})).find("other than 0 and 1") !=
          std::string::npos);
    for (const Tensor& table :
         {Tensor::full({2, 4}, 1), Tensor::full({3}, 1), Tensor::full({0, 3}, 1), Tensor()}) {
        CHECK(refused(table).starts_with("masks: a layer of 3 neurons needs a table"));
    }

    MaskedLinear layer(Scope{}, 2, 3, Tensor::full({2, 3}, 1), rng);
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
    const Tensor table = Tensor::from({3, 4}, {1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0});
    MaskedLinear layer(Scope{}, 3, 4, table, rng);
    table.fill(1);  // the layer has a copy
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

TEST_CASE("masked linear: what is kept is scaled by 1/keep, 1/sqrt(keep) or not at all") {
    const std::vector<std::pair<MaskScale, std::function<double(double)>>> scales = {
        {MaskScale::inverse, [](double keep) { return 1 / keep; }},
        {MaskScale::root, [](double keep) { return 1 / std::sqrt(keep); }},
        {MaskScale::one, [](double) { return 1.0; }}};
    for (const auto& row : scales) {
        CAPTURE(int(row.first));
        const auto check_factors = [&](const MaskedLinear& layer, std::vector<int> kept) {
            for (size_t e = 0; e < kept.size(); ++e) {
                const real* const factors = layer.masks().data() + e * 8;
                for (int i = 0; i < 8; ++i) {
                    const double expected = i < kept[e] ? row.second(kept[e] / 8.0) : 0;
                    CHECK(double(factors[i]) == doctest::Approx(expected).epsilon(1e-6));
                }
            }
        };
        const auto first = [](std::vector<int> kept) {
            const Tensor table = Tensor::zeros({int64_t(kept.size()), 8});
            for (size_t e = 0; e < kept.size(); ++e) {
                table.narrow(int64_t(e), 1).reshape({8}).narrow(0, kept[e]).fill(1);
            }
            return table;
        };
        Rng rng(1);
        MaskedLinear layer(Scope{}, 2, 8, first({2, 5}), rng, row.first);
        check_factors(layer, {2, 5});
        auto state = layer.state_dict();
        state["mask"] = first({8, 1});  // the scale stays, what is kept changes
        layer.load_state_dict(state, "file");
        check_factors(layer, {8, 1});
    }
}

}  // namespace smoe
