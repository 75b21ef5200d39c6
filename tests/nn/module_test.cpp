// Names, saving and loading, modes, and parameters in one flat buffer. Loading copies everything or
// nothing, and says what does not fit.
// Read next: masked_linear_test.cpp.
#include <doctest/doctest.h>

#include <cmath>

#include <memory>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "nn/flat_parameters.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "nn/linear.h"
#include "tests/error_of.h"

namespace smoe {
namespace {

struct Net : Module {
    explicit Net(uint64_t seed = 1)
        : Module(Scope{}),
          rng(seed),
          first({this, "first"}, 3, 4, true, rng),
          norm({this, "norm"}, 4),
          noise({this, "noise"}, 0.5) {}
    Variable forward(const Variable& x) {
        return norm.forward(noise.forward(first.forward(x), noise.draw(&rng)));
    }

    Rng rng;
    Linear first;
    LayerNorm norm;
    Dropout noise;
};

}  // namespace

TEST_CASE("module: creating a parameter registers it under its path") {
    Net net;
    std::vector<std::string> names;
    for (const auto& [name, tensor] : net.state_dict()) {
        names.push_back(name);
    }
    CHECK(names ==
          std::vector<std::string>{"first.bias", "first.weight", "norm.bias", "norm.weight"});
    CHECK(net.parameters().size() == 4);
    CHECK(net.parameter_count() == 3 * 4 + 4 + 4 + 4);
}

TEST_CASE("module: of two things with one name the second is refused") {
    struct Twice : Module {
        explicit Twice(bool as_buffer) : Module(Scope{}) {
            register_parameter("weight", Tensor::zeros({1}));
            as_buffer ? void(register_buffer("weight", Tensor::zeros({1})))
                      : void(register_parameter("weight", Tensor::zeros({1})));
        }
    };
    CHECK_THROWS_WITH_AS(Twice(false), doctest::Contains("'weight' already"), Error);
    CHECK_THROWS_WITH_AS(Twice(true), doctest::Contains("'weight' already"), Error);
    Net net;
    CHECK_THROWS_WITH_AS(LayerNorm({&net, "norm"}, 4), doctest::Contains("'norm' already"), Error);
    CHECK(net.state_dict().size() == 4);
}

TEST_CASE("module: one that is gone, or was never made, is out of its parent") {
    Net net;
    {
        const LayerNorm guest({&net, "guest"}, 4);
        CHECK(net.state_dict().size() == 6);
    }
    CHECK(net.state_dict().size() == 4);
    CHECK_THROWS_AS(Dropout({&net, "broken"}, 2), Error);
    net.eval();  // would reach it
    auto parent = std::make_unique<Net>();
    auto child = std::make_unique<LayerNorm>(Scope{parent.get(), "child"}, 4);
    parent.reset();
    CHECK(child->state_dict().size() == 2);
}

TEST_CASE("module: buffers are saved but not trained") {
    Rng rng(1);
    MaskedLinear layer(Scope{}, 4, 8, Tensor::full({3, 8}, 1), rng);
    CHECK(layer.state_dict().size() == 3);
    CHECK(layer.state_dict().at("mask").shape() == Shape{3, 8});
    CHECK(layer.state_dict().at("linear.weight").shape() == Shape{8, 4});
    CHECK(layer.parameters().size() == 2);
}

TEST_CASE("module: load_state_dict copies all or nothing, and says what does not fit") {
    Net net(1), other(2);
    const Tensor before = net.first.weight.value().clone();

    std::map<std::string, Tensor> state = other.state_dict();
    state.erase("norm.bias");
    CHECK(error_of([&] { net.load_state_dict(state, "f"); }).find("lacks the tensor 'norm.bias'") !=
          std::string::npos);
    state = other.state_dict();
    state["extra"] = Tensor::zeros({1});
    CHECK(error_of([&] { net.load_state_dict(state, "f"); }).find("'extra'") != std::string::npos);
    state = other.state_dict();
    state["norm.bias"] = Tensor::zeros({5});
    CHECK(error_of([&] { net.load_state_dict(state, "f"); }).find("shape (5)") !=
          std::string::npos);
    state = other.state_dict();
    state["norm.bias"] = Tensor::full({4}, real(NAN));
    CHECK(error_of([&] {
              net.load_state_dict(state, "f");
          }).find("'norm.bias' holds numbers that are not") != std::string::npos);
    for (int64_t i = 0; i < before.numel(); ++i) {
        CHECK(net.first.weight.value().data()[i] == before.data()[i]);
    }

    net.load_state_dict(other.state_dict(), "f");
    for (const auto& [name, tensor] : net.state_dict()) {
        for (int64_t i = 0; i < tensor.numel(); ++i) {
            CHECK(tensor.data()[i] == other.state_dict().at(name).data()[i]);
        }
    }
}

TEST_CASE("module: training mode reaches every layer below") {
    Net net;
    const Variable x(Tensor::full({50, 3}, 1));
    const auto zeros = [&] {
        const Tensor y = net.noise.forward(net.first.forward(x), net.noise.draw(&net.rng)).value();
        return std::count(y.data(), y.data() + y.numel(), real(0));
    };
    CHECK(zeros() > 50);  // of 200, half are expected
    net.eval();
    CHECK(zeros() == 0);
    net.train();
    CHECK(zeros() > 50);
}

TEST_CASE("flat parameters: values and gradients are views of one buffer each") {
    Net net(3), plain(3);
    net.eval();
    plain.eval();
    FlatParameters flat(net);
    CHECK(flat.values().numel() == net.parameter_count());

    const Variable x(uniform_tensor({5, 3}, 1, net.rng));
    const Tensor dy = uniform_tensor({5, 4}, 1, net.rng);
    const Variable y = net.forward(x), expected = plain.forward(x);
    for (int64_t i = 0; i < y.shape().numel(); ++i) {
        CHECK(y.value().data()[i] == expected.value().data()[i]);
    }
    backward(y, dy);
    backward(expected, dy);
    int64_t at = 0;
    for (const Variable* parameter : plain.parameters()) {
        for (int64_t i = 0; i < parameter->shape().numel(); ++i, ++at) {
            CHECK(flat.grads().data()[at] == parameter->grad().data()[i]);
        }
    }
    flat.zero_grad();
    CHECK(net.first.weight.grad().data()[0] == 0);

    const Tensor twos = Tensor::full({flat.values().numel()}, 2);
    CHECK(flat.state_dict_with(twos).at("first.weight").data()[3] == 2);
    CHECK(net.first.weight.value().data()[3] != 2);
}

TEST_CASE("layers: initial values follow PyTorch's rules") {
    Rng rng(7);
    const Linear wide(Scope{}, 100, 200, true, rng);
    real most = 0, least = 0;
    for (const real w : wide.weight.value().values()) {
        most = std::max(most, w);
        least = std::min(least, w);
    }
    CHECK(most < 0.1);
    CHECK(most > 0.0999);
    CHECK(least >= -0.1);
    CHECK(least < -0.0999);

    const Embedding table(Scope{}, 100, 100, rng);
    double total = 0, square = 0;
    for (const real w : table.weight.value().values()) {
        total += w;
        square += double(w) * w;
    }
    CHECK(std::abs(total / 10000) < 0.05);
    CHECK(std::abs(square / 10000 - 1) < 0.05);
}

TEST_CASE("layers: RMSNorm starts with the weight 1, which is trained and saved") {
    const RMSNorm norm(Scope{}, 3);
    const auto state = norm.state_dict();
    REQUIRE(state.size() == 1);
    CHECK(state.begin()->first == "weight");
    const Variable x(Tensor::from({2, 3}, {1, 2, -2, 30, 0, -40}));
    const Variable y = norm.forward(x);
    for (int64_t n = 0; n < 2; ++n) {
        const real* const row = y.value().data() + 3 * n;
        CHECK(double(row[0] * row[0] + row[1] * row[1] + row[2] * row[2]) ==
              doctest::Approx(3).epsilon(1e-4));
    }
    CHECK(double(y.value().data()[1]) == doctest::Approx(2 / std::sqrt(3 + 1e-5)));
    backward(sum(y));
    CHECK(norm.weight.grad().shape() == Shape{3});
}

TEST_CASE("layers: impossible settings are refused") {
    CHECK_THROWS_AS(Dropout(Scope{}, 1.0), Error);
    CHECK_THROWS_AS(Dropout(Scope{}, -0.1), Error);
    CHECK_THROWS_WITH_AS(Dropout(Scope{}, 0.1).draw(nullptr), doctest::Contains("random stream"),
                         Error);
}

}  // namespace smoe
