// Training: it learns, it does not depend on threads, it goes on exactly where it was stopped, and
// the router is frozen when it should be.
// Read next: training_loop_test.cpp.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "core/check.h"
#include "core/storage.h"
#include "core/threads.h"
#include "models/training/evaluation.h"
#include "tests/error_of.h"
#include "tests/models/small_run.h"

namespace smoe {
namespace {

bool same_bits(const std::map<std::string, Tensor>& a, const std::map<std::string, Tensor>& b) {
    if (a.size() != b.size()) {
        return false;
    }
    for (const auto& [name, tensor] : a) {
        const Tensor& other = b.at(name);
        if (!(tensor.shape() == other.shape()) ||
            !std::equal(tensor.data(), tensor.data() + tensor.numel(), other.data())) {
            return false;
        }
    }
    return true;
}

// The state as it would come back from disk: copies, not views of a running trainer.
TensorFile copy_of(const TensorFile& state) {
    TensorFile copy = state;
    for (auto& [name, tensor] : copy.tensors) {
        tensor = tensor.clone();
    }
    return copy;
}

TensorFile state_after(const SmallRun& run, int steps) {
    Trainer trainer(run.config, run.data);
    for (int step = 0; step < steps; ++step) {
        trainer.step();
    }
    return copy_of(trainer.state_dict());
}

}  // namespace

TEST_CASE("trainer: the loss falls, for every kind of routing and optimiser") {
    for (const std::string& routing : router_kinds().names()) {
        if (routing == "toy") {
            continue;  // of extension_test.cpp
        }
        CAPTURE(routing);
        Config config = small_config();
        config.model.router.kind = routing;
        const SmallRun run(config);
        Trainer trainer(config, run.data);
        const double first = trainer.step().loss;
        double last = 0;
        for (int step = 1; step < 60; ++step) {
            last = trainer.step().loss;
        }
        CHECK(first == doctest::Approx(std::log(300)).epsilon(0.2));
        CHECK(last < 0.8 * first);
    }
    for (const char* optimizer : {"adamw", "sgd"}) {
        CAPTURE(optimizer);
        Config config = small_config();
        config.optimizer = optimizer;
        config.optim.weight_decay = 0;
        const SmallRun run(config);
        Trainer trainer(config, run.data);
        const double first = trainer.step().loss;
        double last = 0;
        for (int step = 1; step < 60; ++step) {
            last = trainer.step().loss;
        }
        CHECK(last < 0.95 * first);
    }
}

TEST_CASE(
    "trainer: computing blocks again in backward changes no bit, before or after the freeze") {
    for (const char* routing : {"router", "gate", "gate_first", "hash_layers"}) {
        CAPTURE(routing);
        Config config = small_config();
        config.model.router.kind = routing;
        const SmallRun run(config);
        config.recompute = true;
        const SmallRun again(config);
        const TensorFile expected = state_after(run, 9), found = state_after(again, 9);
        CHECK(same_bits(found.tensors, expected.tensors));
        CHECK(found.metadata == expected.metadata);
    }
}

TEST_CASE("trainer: 1, 2 and 4 threads give the same bits, in both precisions") {
    const int before = threads();
    for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
        Config config = small_config();
        config.precision = precision;
        const SmallRun run(config);
        set_threads(1);
        const TensorFile one = state_after(run, 9);
        for (const int count : {2, 4}) {
            set_threads(count);
            const TensorFile more = state_after(run, 9);
            CHECK(same_bits(one.tensors, more.tensors));
            CHECK(one.metadata == more.metadata);
        }
    }
    set_threads(before);
}

TEST_CASE("trainer: resumed runs are the uninterrupted one, in both phases and across the freeze") {
    for (const char* routing : {"router", "random", "gate", "hash_balanced"}) {
        Config config = small_config();
        config.model.router.kind = routing;
        const SmallRun run(config);
        const TensorFile straight =
            state_after(run, 12);  // the freeze is at 6, the epoch has 7 batches
        for (const int stop : {0, 3, 5, 6, 7, 11}) {
            CAPTURE(stop);
            const TensorFile saved = state_after(run, stop);
            Trainer resumed(config, run.data);
            resumed.load_state_dict(saved, "state");
            CHECK(resumed.steps() == stop);
            while (resumed.steps() < 12) {
                resumed.step();
            }
            CHECK(same_bits(straight.tensors, resumed.state_dict().tensors));
            CHECK(straight.metadata == resumed.state_dict().metadata);
        }
    }
}

TEST_CASE("trainer: evaluating and reading weights in between changes nothing") {
    const SmallRun run(small_config());
    const TensorFile undisturbed = state_after(run, 8);
    Trainer trainer(run.config, run.data);
    for (int step = 0; step < 8; ++step) {
        trainer.step();
        trainer.model_weights();
        trainer.router_weights();
        const Trainer::EvaluationMode mode(trainer);
        evaluate(trainer.moe(), run.data, 1, 100);
    }
    CHECK(same_bits(undisturbed.tensors, trainer.state_dict().tensors));
    CHECK(undisturbed.metadata == trainer.state_dict().metadata);
}

TEST_CASE("trainer: weights that are saved are those that evaluation mode uses") {
    const SmallRun run(small_config());
    Trainer trainer(run.config, run.data);
    for (int step = 0; step < 4; ++step) {
        trainer.step();
    }
    const auto weights = trainer.model_weights(), router_weights = trainer.router_weights();
    const Trainer::EvaluationMode mode(trainer);
    CHECK(same_bits(weights, trainer.moe().model.state_dict()));
    CHECK(same_bits(router_weights, trainer.moe().router->state_dict()));
    CHECK(!trainer.moe().model.training());
    CHECK(!trainer.moe().router->module()->training());
}

TEST_CASE("trainer: the router learns for as many steps as it should, then stands still") {
    const SmallRun run(small_config());
    Trainer trainer(run.config, run.data);
    for (int step = 1; step <= 10; ++step) {
        const StepReport report = trainer.step();
        CHECK(report.step == step);
        REQUIRE(report.router_losses.size() == (step <= 6 ? 2 : 0));
        if (step <= 6) {
            CHECK(report.router_losses[0].first == "correctness");
            CHECK(std::isfinite(report.router_losses[0].second));
            CHECK(report.router_losses[1].first == "distribution");
            CHECK(report.router_losses[1].second > 0);
        }
        int64_t labelled = 0;
        for (const int64_t count : report.expert_tokens) {
            labelled += count;
        }
        CHECK(labelled == report.tokens);
        CHECK(trainer.moe().router->module()->training() == (step < 6));
    }
    const TensorFile seven = state_after(run, 7), ten = state_after(run, 10);
    int frozen = 0;
    for (const auto& [name, tensor] : seven.tensors) {
        if (name.starts_with("router.")) {
            ++frozen;
            CHECK(same_bits({{name, tensor}}, {{name, ten.tensors.at(name)}}));
        }
    }
    CHECK(frozen > 10);
    CHECK(!same_bits({{"", seven.tensors.at("model.values")}},
                     {{"", ten.tensors.at("model.values")}}));
}

TEST_CASE("trainer: a frozen router keeps its weights in memory and nothing else") {
    Config config = small_config();
    config.model.router.sizes.width = 128;
    config.model.router.steps = 2;
    const SmallRun run(config);
    const auto live_after = [&](const Config& settings, int steps) {
        const int64_t before = memory_use().live;
        Trainer trainer(settings, run.data);
        for (int step = 0; step < steps; ++step) {
            trainer.step();
        }
        return memory_use().live - before;
    };
    Config without = config;
    without.model.router.kind = "hash";
    const int64_t model = live_after(without, 3);
    const double weights = parameter_count(router_decoder(config.model)) * sizeof(real);
    CHECK(double(live_after(config, 1) - model) > 3.5 * weights);  // gradients, z and v
    CHECK(double(live_after(config, 3) - model) < 1.5 * weights);
    Trainer trainer(config, run.data);
    trainer.step();
    const int64_t held = memory_use().held;
    trainer.step();
    CHECK(memory_use().held < held);  // gone from the process, not only free
    config.model.router.steps = 0;
    CHECK(double(live_after(config, 0) - model) < 1.5 * weights);
}

TEST_CASE("trainer: a loss or a routing that is not finite stops before anything changes") {
    const SmallRun run(small_config());
    const TensorFile good = state_after(run, 2);
    for (const char* poisoned : {"model.values", "router.values"}) {
        CAPTURE(poisoned);
        Trainer trainer(run.config, run.data);
        trainer.load_state_dict(good, "state");
        const TensorFile own = trainer.state_dict();  // which shares the trainer's memory
        own.tensors.at(poisoned).fill(std::numeric_limits<real>::quiet_NaN());
        CHECK_THROWS_WITH_AS(Trainer(run.config, run.data).load_state_dict(own, "state"),
                             doctest::Contains("not finite"), Error);
        const auto before = trainer.state_dict().metadata;
        CHECK_THROWS_WITH_AS(trainer.step(), doctest::Contains("step 3: the "), Error);
        CHECK(trainer.steps() == 2);
        const auto after = trainer.state_dict().metadata;
        for (const char* key :
             {"steps", "epoch", "batch", "rng.experts", "model.optimizer.steps"}) {
            CHECK(before.at(key) == after.at(key));
        }
    }
}

TEST_CASE("trainer: a gradient that is not finite is named, and nothing changes") {
    Config config = small_config();
    config.model.router.kind = "hash";  // the learning router would square the large losses
    const SmallRun run(config);
    Trainer trainer(run.config, run.data);
    trainer.step();
    // The loss stays finite, the gradient of the last layer's second weight does not.
    const real big = sizeof(real) == 4 ? real(1e25) : real(1e200);
    const Decoder& model = trainer.moe().model;
    const Block& last = *model.layers().back();
    last.ffn->state_dict().at("lin_1.linear.bias").fill(big);
    last.ffn->state_dict().at("lin_2.linear.weight").fill(1 / big);
    last.norm2.weight.value().fill(big);
    for (real& weight : model.decoder().weight.value().values()) {
        weight *= real(1e-5);
    }
    const TensorFile before = copy_of(trainer.state_dict());
    for (int i = 0; i < 2; ++i) {
        CHECK_THROWS_WITH_AS(
            trainer.step(),
            doctest::Contains(
                "step 2: the gradient of the model's 'layers.1.ffn.lin_2.linear.weight'"),
            Error);
        CHECK(same_bits(trainer.state_dict().tensors, before.tensors));
        CHECK(trainer.state_dict().metadata == before.metadata);
    }
    trainer.load_state_dict(state_after(run, 1), "state");
    trainer.step();
    CHECK(same_bits(trainer.state_dict().tensors, state_after(run, 2).tensors));
}

TEST_CASE("trainer: long gradients are clipped, short ones left alone") {
    Config config = small_config();
    config.optimizer = "sgd";
    config.optim = {.lr = 1, .beta1 = 0, .weight_decay = 0, .warmup = 0};
    const auto step = [&](double clip) {
        config.clip = clip;
        const SmallRun run(config);
        Trainer trainer(config, run.data);
        const Tensor before = trainer.state_dict().tensors.at("model.values").clone();
        const double norm = trainer.step().grad_norm;
        const Tensor after = trainer.state_dict().tensors.at("model.values").clone();
        double square = 0;
        for (int64_t i = 0; i < before.numel(); ++i) {
            square += std::pow(double(after.data()[i]) - double(before.data()[i]), 2);
        }
        return std::pair(norm, std::sqrt(square));
    };
    const auto [norm, change] = step(0);
    CHECK(change == doctest::Approx(norm).epsilon(1e-3));
    CHECK(step(2 * norm) == std::pair(norm, change));
    const auto [norm_before, clipped] = step(norm / 4);
    CHECK(norm_before == norm);
    CHECK(clipped == doctest::Approx(norm / 4).epsilon(1e-3));
}

TEST_CASE("trainer: states that do not fit are refused") {
    const SmallRun run(small_config());
    const TensorFile good = state_after(run, 3);
    const auto refusal = [&](const TensorFile& state, const Config& config) {
        Trainer trainer(config, run.data);
        return error_of([&] { trainer.load_state_dict(state, "state.safetensors"); });
    };
    CHECK(refusal(good, run.config) == "accepted");

    TensorFile bad = good;
    bad.metadata["data"] = "0123456789abcdef";
    CHECK(refusal(bad, run.config).find("other text") != std::string::npos);
    for (const auto& row : good.metadata) {
        const std::string& name = row.first;
        CAPTURE(name);
        bad = good;
        bad.metadata.erase(name);
        CHECK(refusal(bad, run.config).find("'state.safetensors'") == 0);
        bad.metadata[name] = "nonsense";
        CHECK(refusal(bad, run.config).find("'state.safetensors'") == 0);
    }
    for (const auto& row : good.tensors) {
        const std::string& name = row.first;
        CAPTURE(name);
        bad = good;
        bad.tensors.erase(name);
        CHECK(refusal(bad, run.config).find("'state.safetensors'") == 0);
        bad.tensors[name] = Tensor::zeros({3});
        CHECK(refusal(bad, run.config).find("'state.safetensors'") == 0);
    }
    Config wider = run.config;
    wider.model.sizes.hidden = 64;
    CHECK(refusal(good, wider).find("was made with model.hidden \"32\"") != std::string::npos);
    // A refused state changes nothing, wherever in it the fault lies.
    Trainer trainer(run.config, run.data);
    trainer.step();
    const TensorFile before = copy_of(trainer.state_dict());
    for (const auto& row : good.metadata) {
        bad = good;
        bad.metadata[row.first] = "nonsense";
        CHECK_THROWS_AS(trainer.load_state_dict(bad, "f"), Error);
    }
    for (const auto& row : good.tensors) {
        bad = good;
        bad.tensors.erase(row.first);
        CHECK_THROWS_AS(trainer.load_state_dict(bad, "f"), Error);
    }
    bad = good;
    bad.tensors["model.more"] = Tensor::zeros({1});
    CHECK_THROWS_WITH_AS(trainer.load_state_dict(bad, "f"), doctest::Contains("'model.more'"),
                         Error);
    bad = good;
    bad.metadata["note"] = "of another program";
    CHECK_THROWS_WITH_AS(trainer.load_state_dict(bad, "f"), doctest::Contains("'note'"), Error);
    bad = copy_of(good);
    bad.tensors.at("model.masks.layers.1.ffn.lin_1.mask").fill(1);
    CHECK_THROWS_WITH_AS(trainer.load_state_dict(bad, "f"), doctest::Contains("masks"), Error);
    CHECK(same_bits(trainer.state_dict().tensors, before.tensors));
    CHECK(trainer.state_dict().metadata == before.metadata);
}

TEST_CASE("padding: every sequence is full, and its padding counts in the loss") {
    Config config = small_config();
    config.pad = true;
    const SmallRun run(config);
    Trainer trainer(config, run.data);
    CHECK(trainer.step().tokens == config.batch * (config.model.context - 1));
}

}  // namespace smoe
