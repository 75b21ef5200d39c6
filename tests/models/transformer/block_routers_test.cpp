// Routers inside the model, and those that look tokens up: choices against the formula, gradients
// against differences, steps against forward, balance, and what must be refused.
// Read next: models/transformer/routers/gate.cpp.
#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "autograd/engine.h"
#include "core/check.h"
#include "models/transformer/incremental_decoder.h"
#include "models/transformer/single_moe.h"
#include "nn/gate.h"
#include "tests/autograd/gradient_check.h"
#include "tests/error_of.h"
#include "tests/models/small_run.h"

namespace smoe {
namespace {

const std::vector<std::string> lookups = {"hash", "hash_bigram", "hash_balanced"};
const std::vector<std::string> inside = {"gate", "gate_first", "frozen", "hash_layers"};

ModelSettings settings_of(const std::string& kind) {
    ModelSettings settings = small_config().model;
    settings.sizes.dropout = 0;
    settings.experts.mask_where = MaskWhere::hidden;
    settings.experts.mask_rate = 0.5;
    settings.router.kind = kind;
    return settings;
}

const std::vector<int32_t> tokens = {299, 5, 17, 5, 200, 31, 5, 17};

}  // namespace

TEST_CASE("gate: the expert has the best score plus bias, the weight is the score") {
    const int64_t N = 30, C = 6, K = 5;
    Rng init(3);
    Gate gate(Scope{}, C, K, {}, init);
    const Tensor x = random_tensor({N, C}, 1), weight = gate.state_dict().at("weight");
    gate.state_dict().at("bias").copy_from(random_tensor({K}, 2));
    const Routing routing = gate.route(Variable(x), Sequences::of(std::vector<int32_t>(N)), 0, {});
    std::set<int32_t> seen;
    for (int64_t n = 0; n < N; ++n) {
        std::vector<double> score(K);
        for (int64_t k = 0; k < K; ++k) {
            double logit = 0;
            for (int64_t c = 0; c < C; ++c) {
                logit += double(x.data()[n * C + c]) * double(weight.data()[k * C + c]);
            }
            score[size_t(k)] = 1 / (1 + std::exp(-logit));
        }
        int32_t best = 0;
        for (int32_t k = 1; k < K; ++k) {
            const auto sum = [&](int32_t i) {
                return score[size_t(i)] + double(gate.bias().data()[i]);
            };
            best = sum(k) > sum(best) ? k : best;
        }
        CHECK(routing.experts[size_t(n)] == best);
        CHECK(routing.weights.value().data()[n] ==
              doctest::Approx(2 * score[size_t(best)]).epsilon(1e-5));
        seen.insert(best);
    }
    CHECK(seen.size() > 1);
}

TEST_CASE("gate: the bias follows the load, counted over a window") {
    Rng init(3);
    Gate gate(Scope{}, 4, 2, {.balance = 0.25, .balance_steps = 4}, init);
    gate.balance(std::vector<int64_t>{30, 10});
    CHECK(gate.load().data()[0] == doctest::Approx(0.5 + 0.25 * 0.25));
    CHECK(gate.bias().data()[0] == doctest::Approx(-0.25));
    CHECK(gate.bias().data()[1] == doctest::Approx(0.25));
    gate.balance(std::vector<int64_t>{0, 40});  // load 0.42, 0.58
    CHECK(gate.bias().data()[0] == doctest::Approx(0));
    CHECK(gate.bias().data()[1] == doctest::Approx(0));
    CHECK(error_of([&] { Gate(Scope{}, 4, 2, {.balance = 2}, init); }) ==
          "gate: the balance step must be in [0, 1], found 2");
}

TEST_CASE("gate: balanced by its bias, all experts are busy in the end") {
    const int64_t N = 400, C = 8, K = 5;
    Rng init(3);
    Gate gate(Scope{}, C, K, {.balance = 0.01}, init);
    Tensor x = random_tensor({N, C}, 1);
    for (real& number : x.values()) {
        number += 3;  // one direction dominates, so one expert takes far too many rows
    }
    const auto counts = [&] {
        std::vector<int64_t> found(K, 0);
        for (const int32_t expert :
             gate.route(Variable(x), Sequences::of(std::vector<int32_t>(N)), 0, {}).experts) {
            ++found[size_t(expert)];
        }
        return found;
    };
    CHECK(std::ranges::max(counts()) > N / 3);
    for (int step = 0; step < 300; ++step) {
        gate.balance(counts());
    }
    CHECK(std::ranges::max(counts()) < 1.5 * N / K);
    CHECK(std::ranges::min(counts()) > 0.5 * N / K);
}

TEST_CASE(
    "block routers: gates get the model's gradient, frozen ones and hashes have nothing to learn") {
    for (const std::string& kind : inside) {
        CAPTURE(kind);
        SingleMoe moe(settings_of(kind), 3);
        moe.eval();
        const bool learns = kind.starts_with("gate");
        int64_t gates = 0;
        for (const auto& [name, tensor] : moe.model.state_dict()) {
            gates += name.ends_with("gate.weight") ? 1 : 0;
        }
        CHECK(gates == (kind == "hash_layers" ? 0 : kind == "gate_first" ? 1 : 2));
        CHECK(double(moe.model.parameter_count()) ==
              parameter_count(model_decoder(settings_of(kind))));
        SingleMoe plain(settings_of("hash"), 3);
        CHECK(moe.model.parameter_count() - plain.model.parameter_count() ==
              (learns ? gates * 4 * 16 : 0));
    }
}

TEST_CASE("block routers: a parameter is of a router by its place, not by its name alone") {
    const SingleMoe gates(settings_of("gate"), 3), first(settings_of("gate_first"), 3);
    CHECK(gates.model.is_of_router("layers.1.gate.weight"));
    CHECK(!gates.model.is_of_router("layers.1.ffn.gate.weight"));
    CHECK(!gates.model.is_of_router("gate.weight"));
    CHECK(first.model.is_of_router("gate.weight"));
    CHECK(!first.model.is_of_router("layers.1.gate.weight"));
}

#ifdef SMOE_DOUBLE
// In float the steps that a difference needs would send some rows to other experts.
TEST_CASE("gate: its learning rate is a factor of the model's") {
    for (const char* kind : {"gate", "gate_first"}) {
        CAPTURE(kind);
        const auto changes = [&](double gate_lr) {
            Config config = small_config();
            config.model.router.kind = kind;
            config.model.router.gate_lr = gate_lr;
            config.optimizer = "sgd";  // whose first step is in proportion to the rate
            config.optim = {.lr = 1, .beta1 = 0, .weight_decay = 0, .warmup = 0};
            const SmallRun run(config);
            Trainer trainer(config, run.data);
            std::map<std::string, Tensor> before = trainer.model_weights();
            for (auto& [name, tensor] : before) {
                tensor = tensor.clone();
            }
            trainer.step();
            std::map<bool, double> most;  // change of gates, and of all else
            for (const auto& [name, tensor] : trainer.model_weights()) {
                const bool gates = name.ends_with("gate.weight");
                most[gates] = std::max(most[gates], difference(tensor, before.at(name)));
            }
            return most;
        };
        std::map<bool, double> still = changes(0), one = changes(1), ten = changes(10);
        CHECK(still[true] == 0);
        CHECK(one[true] > 0);
        CHECK(ten[true] == doctest::Approx(10 * one[true]).epsilon(1e-3));
        CHECK(still[false] == one[false]);
        CHECK(ten[false] == one[false]);
    }
}

TEST_CASE("block routers: the gradient of every number of a gate against central differences") {
    for (const std::string kind : {"gate", "gate_first"}) {
        CAPTURE(kind);
        SingleMoe moe(settings_of(kind), 3);
        const Sequences sequences = Sequences::of(tokens);
        const std::vector<int32_t> targets = {5, 17, 5, 200, 31, 5, 17, 299};
        const auto loss = [&] { return sum(moe.model.losses(sequences, {}, targets)); };
        backward(loss());
        constexpr double step = 1e-6;
        double worst = 0, largest = 0;
        const auto state = moe.model.state_dict();
        for (Variable* const parameter : moe.model.parameters()) {
            const bool is_gate = std::ranges::any_of(state, [&](const auto& entry) {
                return entry.first.ends_with("gate.weight") &&
                       entry.second.data() == parameter->value().data();
            });
            for (int64_t i = 0; is_gate && i < parameter->value().numel(); ++i) {
                real& number = parameter->value().data()[i];
                const real before = number;
                number = before + real(step);
                const double above = double(loss().value().item());
                number = before - real(step);
                const double below = double(loss().value().item());
                number = before;
                const double expected = (above - below) / (2 * step);
                const double found = double(parameter->grad().data()[i]);
                worst = std::max(worst, std::abs(found - expected));
                largest = std::max(largest, std::abs(expected));
            }
        }
        CHECK(largest > 0.01);
        CHECK(worst < 1e-6 * largest);
    }
}
#endif

TEST_CASE(
    "routers: sequences by steps equal forward, for each kind and with the token's embedding") {
    std::vector<std::string> kinds = lookups;
    kinds.insert(kinds.end(), inside.begin(), inside.end());
    kinds.push_back("none");
    const SmallRun run(small_config());
    for (const std::string& kind : kinds) {
        for (const bool token_input : {false, true}) {
            CAPTURE(kind);
            CAPTURE(token_input);
            ModelSettings settings = settings_of(kind);
            settings.token_input = token_input;
            SingleMoe moe(settings, 3);
            moe.router->see_text(run.data);
            moe.eval();
            Rng chance(1);
            const Experts experts = moe.router->choose(Sequences::of(tokens), chance);
            const Tensor expected = moe.model.forward(Sequences::of(tokens), experts).value();
            IncrementalDecoder decoder(moe.model, 2);
            const auto router = moe.router->step(2);
            std::vector<Rng> chances(2, Rng(1));
            const int64_t V = expected.size(1);
            std::vector<real> logits(static_cast<size_t>(V));
            double worst = 0;
            for (size_t t = 0; t < tokens.size(); ++t) {
                const int32_t slot = t < 3 ? 0 : 1;  // the rest in a copy
                NextToken next{.slot = slot, .token = tokens[t], .expert = no_expert};
                router->choose({&next, 1}, chances);
                decoder.append({&next, 1}, logits);
                for (int64_t v = 0; v < V; ++v) {
                    worst = std::max(worst, std::abs(double(logits[size_t(v)]) -
                                                     double(expected.data()[int64_t(t) * V + v])));
                }
                if (t == 2) {
                    decoder.copy(0, 1);
                    router->copy(0, 1);
                }
            }
            CHECK(worst < (sizeof(real) == 8 ? 1e-10 : 1e-4));
        }
    }
}

TEST_CASE("routers: a hook sees the experts of each block and may replace them") {
    for (const std::string kind : {"gate", "hash"}) {
        CAPTURE(kind);
        SingleMoe moe(settings_of(kind), 3);
        moe.eval();
        Rng chance(1);
        const Sequences sequences = Sequences::of(tokens);
        const Experts experts = moe.router->choose(sequences, chance);
        const auto trace = std::make_shared<ExpertTrace>();
        const Tensor plain =
            moe.model.forward(sequences, experts, nullptr, record_experts(trace)).value();
        REQUIRE(trace->blocks.size() == 2);
        CHECK(trace->blocks[0].size() == tokens.size());
        const auto force = [](int32_t expert) -> ExpertHook {
            return
                [expert](int64_t, const Tensor&, Experts& all) { std::ranges::fill(all, expert); };
        };
        const Tensor zero = moe.model.forward(sequences, experts, nullptr, force(0)).value();
        const Tensor one = moe.model.forward(sequences, experts, nullptr, force(1)).value();
        CHECK(difference(zero, one) > 1e-3);
        CHECK(difference(plain, zero) > 1e-3);
    }
}

TEST_CASE("hash_balanced: experts get equal shares of the text") {
    const SmallRun run(small_config());
    SingleMoe moe(settings_of("hash_balanced"), 3);
    moe.router->see_text(run.data);
    const std::vector<int64_t> counts = run.data.token_counts();
    Rng chance(1);
    std::vector<int32_t> all(counts.size());
    for (size_t id = 0; id < all.size(); ++id) {
        all[id] = int32_t(id);
    }
    const Experts experts = moe.router->choose(Sequences::of(all), chance);
    std::vector<double> share(4, 0), ids(4, 0);
    double total = 0;
    for (size_t id = 0; id < all.size(); ++id) {
        share[size_t(experts[id])] += double(counts[id]);
        ids[size_t(experts[id])] += 1;
        total += double(counts[id]);
    }
    for (int k = 0; k < 4; ++k) {
        CHECK(share[size_t(k)] == doctest::Approx(total / 4).epsilon(0.02));
        CHECK(ids[size_t(k)] > 20);
    }
}

TEST_CASE("domain: the label decides, and text without one is refused") {
    std::vector<Story> stories = small_stories(20);
    for (size_t i = 0; i < stories.size(); ++i) {
        stories[i].domain = i % 3 == 0 ? "de" : i % 3 == 1 ? "en" : "fr";
    }
    const Tokenizer tokenizer = small_tokenizer(stories);
    const Dataset data(stories, tokenizer, dataset_settings(small_config()));
    SingleMoe moe(settings_of("domain"), 3);
    moe.router->see_text(data);
    Rng chance(1);
    const Batch batch = data.batch(std::vector<int64_t>{1, 0, 2});
    const Experts experts = moe.router->choose(batch.inputs, chance);
    for (int64_t b = 0; b < 3; ++b) {
        const int32_t expected = std::vector<int32_t>{1, 0, 2}[size_t(b)];
        CHECK(experts[size_t(batch.inputs.offsets()[size_t(b)])] == expected);
        CHECK(experts[size_t(batch.inputs.offsets()[size_t(b) + 1] - 1)] == expected);
    }
    CHECK(error_of([&] {
              moe.router->choose(Sequences::of({1, 2}), chance);
          }) == "router: the domain of a text decides, and this text is not labelled");
    CHECK(error_of([&] {
              moe.router->choose(Sequences({1, 2}, {0, 2}, {"it"}), chance);
          }) == "router: the domain 'it' was not in the training text");
    CHECK(error_of([&] { moe.router->step(1); }) ==
          "router: the domain of a text decides, and generated text has none");
}

}  // namespace smoe
