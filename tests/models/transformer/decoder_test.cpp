// The decoder and the router: masks, causality, ragged batches, names and counts of the original,
// and a check that every op in a real graph has a row in the table of ops.
// Read next: tests/examples/golden_test.cpp.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "models/transformer/routers/learned.h"
#include "models/transformer/routers/router_loss.h"
#include "tests/autograd/op_table.h"
#include "tests/error_of.h"
#include "tests/models/small_run.h"

namespace smoe {
namespace {

const std::vector<int32_t> tokens = {299, 5, 6, 7, 299, 8, 9};
const std::vector<int64_t> offsets = {0, 4, 7};

const Decoder& network(const SingleMoe& moe) {
    return dynamic_cast<const LearnedRouter&>(*moe.router).network();
}

}  // namespace

TEST_CASE("decoder: every op in the graph of a training step has a row in the table of ops") {
    Config config = small_config();
    SingleMoe moe(config.model, config.seed);
    const Experts experts = {0, 1, 2, 3, 0, 1, 2};
    Rng dropout(1);
    const Variable losses =
        moe.model.losses({tokens, offsets}, experts, {1, 2, 3, 4, 5, 6, 7}, &dropout);
    const Variable routing = softmax(network(moe).forward({tokens, offsets}, {}, &dropout));
    const RouterLosses router =
        router_losses(routing, experts, losses.value(), {0, 1, 2, 3, 0, 1, 2});
    std::vector<std::string> names = graph_names(mean(losses));
    for (const std::string& name : graph_names(add(router.correctness, router.distribution))) {
        names.push_back(name);
    }
    CHECK(names.size() > 30);
    for (const std::string& name : names) {
        CHECK_MESSAGE(op_has_row(name),
                      "the op '" << name << "' is trained and has no row in the table of ops");
    }
    CHECK(!op_has_row("no such op"));
}

TEST_CASE("decoder: losses are the cross-entropy of the logits, and so are their gradients") {
    const Config config = small_config();
    const Experts experts = {0, 1, 2, 3, 0, 1, 2};
    const std::vector<int32_t> targets = {1, 2, 3, 4, 5, 6, 7};
    const auto gradients = [&](bool at_once) {
        SingleMoe moe(config.model, config.seed);
        moe.model.eval();
        const Variable losses =
            at_once ? moe.model.losses({tokens, offsets}, experts, targets)
                    : cross_entropy(moe.model.forward({tokens, offsets}, experts), targets);
        backward(losses, random_tensor(losses.shape(), 5));
        std::vector<Tensor> found = {losses.value()};
        for (const Variable* parameter : moe.model.parameters()) {
            found.push_back(parameter->grad());
        }
        return found;
    };
    const std::vector<Tensor> fused = gradients(true), composed = gradients(false);
    for (size_t i = 0; i < fused.size(); ++i) {
        CAPTURE(i);
        CHECK(difference(fused[i], composed[i]) < (sizeof(real) == 8 ? 1e-12 : 1e-5));
    }
}

TEST_CASE("decoder: paper-sized parameter counts and names are the original's") {
    Config config = preset("paper");
    config.model.vocab_size = 2049;
    Rng rng(1);
    Decoder model(model_decoder(config.model), rng);
    Decoder router(router_decoder(config.model), rng);
    const auto all = [](const Decoder& decoder) {
        int64_t count = 0;
        for (const auto& [name, tensor] : decoder.state_dict()) {
            count += tensor.numel();
        }
        return count;
    };
    CHECK(all(model) == 27634176);
    CHECK(all(router) == 7003648);
    const auto state = model.state_dict();
    CHECK(state.at("pos_embedding").shape() == Shape{1, 251, 512});
    CHECK(state.at("layers.7.ffn.lin_1.mask").shape() == Shape{10, 2048});
    CHECK(state.at("layers.0.attn.qkv_proj.weight").shape() == Shape{1536, 512});
    CHECK(router.state_dict().at("decoder.weight").shape() == Shape{10, 256});
    CHECK(state.size() == 3 + 8 * 12);
}

TEST_CASE("decoder: sizes are known, and checked, before anything is built") {
    const Config config = small_config();
    SingleMoe moe(config.model, config.seed);
    const DecoderSettings model = model_decoder(config.model),
                          router = router_decoder(config.model);
    CHECK(parameter_count(model) == double(moe.model.parameter_count()));
    CHECK(parameter_count(router) == double(moe.router->parameter_count()));

    const std::map<std::string, Tensor> state = moe.model.state_dict();
    CHECK_NOTHROW(check_sizes(model, state, "f"));
    const std::vector<std::pair<int64_t DecoderSettings::*, const char*>> sizes = {
        {&DecoderSettings::vocab, "token_embedding"}, {&DecoderSettings::outputs, "decoder.weight"},
        {&DecoderSettings::context, "pos_embedding"}, {&DecoderSettings::width, "'f'"},
        {&DecoderSettings::layers, "layers.2."},      {&DecoderSettings::hidden, "lin_1"},
        {&DecoderSettings::num_experts, "mask"}};
    for (const auto& size : sizes) {
        const auto [field, name] = size;
        INFO(size.second);
        DecoderSettings other = model;
        other.*field += 1;
        const std::string message = error_of([&] { check_sizes(other, state, "f"); });
        CHECK(message.find(name) != std::string::npos);
    }
    // Whatever is not a vector takes memory of its own.
    for (const auto& entry : state) {
        std::map<std::string, Tensor> without = state;
        without.erase(entry.first);
        INFO(entry.first);
        const std::string message = error_of([&] { check_sizes(model, without, "f"); });
        CHECK((entry.second.shape().rank() == 1 ||
               message.find("'" + entry.first + "'") != message.npos));
    }
}

TEST_CASE("decoder: a sequence's logits do not depend on its neighbours or on its future") {
    const Config config = small_config();
    SingleMoe moe(config.model, config.seed);
    moe.eval();
    const Experts experts = {0, 1, 2, 3, 0, 1, 2};
    const Tensor both = moe.model.forward({tokens, offsets}, experts).value();
    const Tensor first = moe.model.forward(Sequences::of({299, 5, 6, 7}), {0, 1, 2, 3}).value();
    const Tensor shorter = moe.model.forward(Sequences::of({299, 5, 6}), {0, 1, 2}).value();
    const double tolerance = sizeof(real) == 8 ? 1e-12 : 1e-5;
    for (int64_t i = 0; i < first.numel(); ++i) {
        CHECK(std::abs(both.data()[i] - first.data()[i]) < tolerance);
    }
    for (int64_t i = 0; i < shorter.numel(); ++i) {
        CHECK(std::abs(first.data()[i] - shorter.data()[i]) < tolerance);
    }
}

TEST_CASE("decoder: the expert matters, and rate 0 makes all experts the dense network") {
    Config config = small_config();
    const auto logits = [&](const Experts& experts) {
        SingleMoe moe(config.model, config.seed);
        moe.eval();
        return moe.model.forward({tokens, offsets}, experts).value();
    };
    const auto distance = [](const Tensor& a, const Tensor& b) {
        double most = 0;
        for (int64_t i = 0; i < a.numel(); ++i) {
            most = std::max(most, std::abs(double(a.data()[i]) - b.data()[i]));
        }
        return most;
    };
    const Experts zeros(7, 0), ones(7, 1);
    CHECK(distance(logits(zeros), logits(ones)) > 1e-3);
    CHECK(distance(logits(zeros), logits({})) > 1e-3);
    config.model.experts.mask_rate = 0;
    CHECK(distance(logits(zeros), logits({})) == 0);
}

TEST_CASE("decoder: sinusoids of section 3.5") {
    const Tensor table = sinusoidal_positions(4, 6);
    for (int64_t t = 0; t < 4; ++t) {
        for (int64_t i = 0; i < 3; ++i) {
            const double angle = double(t) / std::pow(10000.0, 2.0 * double(i) / 6);
            CHECK(table.data()[t * 6 + 2 * i] == doctest::Approx(std::sin(angle)).epsilon(1e-6));
            CHECK(table.data()[t * 6 + 2 * i + 1] ==
                  doctest::Approx(std::cos(angle)).epsilon(1e-6));
        }
    }
}

TEST_CASE("decoder: impossible calls are refused") {
    const Config config = small_config();
    SingleMoe moe(config.model, config.seed);
    CHECK_THROWS_AS(moe.model.forward(Sequences::of({300}), {}), Error);
    CHECK_THROWS_AS(moe.model.forward(Sequences::of({-1}), {}), Error);
    CHECK_THROWS_AS(moe.model.forward({{1, 2}, {0, 1}}, {}), Error);
    CHECK_THROWS_AS(moe.model.forward(Sequences::of({1}), {4}), Error);
    CHECK_THROWS_WITH_AS(moe.model.forward(Sequences::of(std::vector<int32_t>(41, 1)), {}),
                         doctest::Contains("longer than the context of 40"), Error);
}

TEST_CASE("router: hash depends on the token alone, chance on the stream, argmax on the network") {
    Config config = small_config();
    Rng chance(1);
    config.model.router.kind = "hash";
    const SingleMoe moe(config.model, config.seed);
    const Router& hash = *moe.router;
    const Experts hashed = hash.choose(Sequences::of({5, 9, 5, 9, 5}), chance);
    CHECK(hashed[0] == hashed[2]);
    CHECK(hashed[1] == hashed[3]);
    std::vector<int32_t> many(300);
    for (int32_t id = 0; id < 300; ++id) {
        many[size_t(id)] = id;
    }
    std::vector<int> counts(4, 0);
    for (const int32_t expert : hash.choose(Sequences::of(many), chance)) {
        ++counts[size_t(expert)];
    }
    for (const int count : counts) {
        CHECK(count > 45);  // 75 are expected of each
    }
}

TEST_CASE("router: a learned router's choice is its argmax and records nothing") {
    Config config = small_config();
    SingleMoe moe(config.model, config.seed);
    moe.eval();
    Rng chance(1);
    const Tensor logits = network(moe).forward({tokens, offsets}, {}).value();
    const Experts experts = moe.router->choose({tokens, offsets}, chance);
    for (int64_t n = 0; n < 7; ++n) {
        for (int64_t k = 0; k < 4; ++k) {
            CHECK(logits.data()[n * 4 + experts[size_t(n)]] >= logits.data()[n * 4 + k]);
        }
    }
}

TEST_CASE("router: experts are drawn from (r + 0.2/K) / 1.2") {
    const Tensor routing = Tensor::empty({20000, 4});
    for (int64_t n = 0; n < 20000; ++n) {
        const real row[] = {0.7f, 0.2f, 0.1f, 0};
        std::copy_n(row, 4, routing.data() + n * 4);
    }
    Rng rng(3);
    std::vector<double> share(4, 0);
    for (const int32_t expert : sample_experts(routing, rng)) {
        share[size_t(expert)] += 1.0 / 20000;
    }
    const double expected[] = {0.75 / 1.2, 0.25 / 1.2, 0.15 / 1.2, 0.05 / 1.2};
    for (size_t k = 0; k < 4; ++k) {
        CHECK(share[k] == doctest::Approx(expected[k]).epsilon(0.06));
    }
}

TEST_CASE("router losses: a hand-worked case") {
    // Two tokens at position 0, one at position 1; K = 2.
    const Variable routing(Tensor::from({3, 2}, {0.6f, 0.4f, 0.3f, 0.7f, 0.5f, 0.5f}), true);
    const Tensor losses = Tensor::from({3}, {3, 1, 2});
    const RouterLosses result = router_losses(routing, {0, 0, 1}, losses, {0, 0, 1});
    // worse = (3 - 2, 0, 0): only the first token is above the mean of its position.
    CHECK(result.correctness.value().item() == doctest::Approx(10 * 0.6 * 0.6 / 3));
    // share = 1.5; shortage = (1.5 - 2, 1.5 - 1) / 1.5 = (-1/3, 1/3);
    // target = (0.6 - 1/3, clamp(0.3 - 1/3), 0.5 + 1/3)
    const double gaps = 1.0 / 9 + 0.09 + 1.0 / 9;
    CHECK(result.distribution.value().item() == doctest::Approx(5000.0 / 3 * gaps).epsilon(1e-5));
    backward(result.distribution);
    CHECK(routing.grad().data()[0] == doctest::Approx(5000.0 / 3 * 2 / 3).epsilon(1e-5));
    CHECK(routing.grad().data()[1] == 0);
    CHECK(routing.grad().data()[5] == doctest::Approx(-5000.0 / 3 * 2 / 3).epsilon(1e-5));
}

}  // namespace smoe
