// Each optimiser against a scalar loop of its own formula, modes, warm-up, saving and continuing.
// Schedule-free AdamW is compared with the paper's three sequences in both modes.
// Read next: tests/models/training/trainer_test.cpp.
#include <doctest/doctest.h>

#include <cmath>

#include "core/check.h"
#include "core/rng.h"
#include "nn/optim/optimizer.h"

namespace smoe {
namespace {

constexpr int64_t P = 7;

// Some parameters, and a gradient for each step that depends on where they are.
struct Problem {
    Problem() : values(Tensor::empty({P})), grads(Tensor::zeros({P})) {
        Rng rng(3);
        for (real& value : values.values()) {
            value = real(rng.normal());
        }
    }
    void set_grads(int step) {
        for (int64_t i = 0; i < P; ++i) {
            grads.data()[i] = gradient(values.data()[i], i, step);
        }
    }
    static real gradient(real value, int64_t i, int step) {
        return real(0.3) * value + real(std::sin(double(i + 2 * step)));
    }
    Tensor values, grads;
};

const OptimizerSettings settings{
    .lr = 0.05, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .weight_decay = 0.1, .warmup = 5};

double rate(int step) {
    return 0.05 * std::min(1.0, (step + 1) / 5.0);
}

bool same(const Tensor& a, const Tensor& b) {
    return std::equal(a.data(), a.data() + a.numel(), b.data());
}

const double tolerance = sizeof(real) == 8 ? 1e-12 : 1e-5;

void check_values(const Tensor& found, const std::vector<double>& expected, int step,
                  double tolerances = 1) {
    for (size_t i = 0; i < P; ++i) {
        const double difference = std::abs(found.data()[i] - expected[i]);
        CHECK_MESSAGE(difference <= tolerances * tolerance * (1 + std::abs(expected[i])),
                      "step " << step << ", number " << i << " should be " << expected[i]
                              << ", and is off by " << difference);
    }
}

}  // namespace

TEST_CASE("sgd: momentum and weight decay as in PyTorch") {
    Problem problem;
    const Tensor start = problem.values.clone();
    auto optimizer = make_optimizer("sgd", problem.values, problem.grads, settings);
    std::vector<double> value(start.data(), start.data() + P), m(P, 0);
    for (int step = 0; step < 30; ++step) {
        problem.set_grads(step);
        for (size_t i = 0; i < P; ++i) {
            m[i] = 0.9 * m[i] + problem.grads.data()[i] + 0.1 * value[i];
            value[i] -= rate(step) * m[i];
        }
        optimizer->step();
        check_values(problem.values, value, step);
    }
}

TEST_CASE("adamw: algorithm 2 of the paper") {
    Problem problem;
    const Tensor start = problem.values.clone();
    auto optimizer = make_optimizer("adamw", problem.values, problem.grads, settings);
    std::vector<double> value(start.data(), start.data() + P), m(P, 0), v(P, 0);
    for (int step = 0; step < 30; ++step) {
        problem.set_grads(step);
        for (size_t i = 0; i < P; ++i) {
            const double g = problem.grads.data()[i];
            m[i] = 0.9 * m[i] + 0.1 * g;
            v[i] = 0.99 * v[i] + 0.01 * g * g;
            const double m_hat = m[i] / (1 - std::pow(0.9, step + 1));
            const double v_hat = v[i] / (1 - std::pow(0.99, step + 1));
            value[i] -= rate(step) * (m_hat / (std::sqrt(v_hat) + 1e-8) + 0.1 * value[i]);
        }
        optimizer->step();
        check_values(problem.values, value, step);
    }
}

// The paper keeps x and z and derives y; the code keeps y and z and derives x.
TEST_CASE("schedule-free adamw: the paper's three sequences, in both modes, over 100 steps") {
    Problem problem;
    const Tensor start = problem.values.clone();
    auto optimizer = make_optimizer("schedule_free", problem.values, problem.grads, settings);
    std::vector<double> x(start.data(), start.data() + P), z = x, y = x, v(P, 0);
    double weight_sum = 0;
    for (int step = 0; step < 100; ++step) {
        problem.set_grads(step);
        weight_sum += rate(step) * rate(step);
        const double c = rate(step) * rate(step) / weight_sum;
        for (size_t i = 0; i < P; ++i) {
            const double g = problem.grads.data()[i];
            v[i] = 0.99 * v[i] + 0.01 * g * g;
            const double v_hat = v[i] / (1 - std::pow(0.99, step + 1));
            z[i] -= rate(step) * (g / (std::sqrt(v_hat) + 1e-8) + 0.1 * y[i]);
            x[i] = (1 - c) * x[i] + c * z[i];
            y[i] = 0.1 * z[i] + 0.9 * x[i];
        }
        optimizer->step();
        check_values(problem.values, y, step, 20);
        const Tensor peek = optimizer->evaluation_values();
        const Tensor trained = problem.values.clone();
        optimizer->eval();
        CHECK(same(peek, problem.values));
        check_values(problem.values, x, step, 20);
        optimizer->train();
        CHECK(same(trained, problem.values));
    }
}

TEST_CASE("optimizers: the first step of both AdamWs is lr times the sign of the gradient") {
    for (const char* const kind : {"adamw", "schedule_free"}) {
        CAPTURE(kind);
        const Tensor values = Tensor::zeros({2}), grads = Tensor::from({2}, {real(0.3), real(-7)});
        const auto optimizer =
            make_optimizer(kind, values, grads, {.lr = 1, .eps = 1e-12, .weight_decay = 0});
        optimizer->step();
        optimizer->eval();
        // 1 - beta2 must cancel in v / (1 - beta2): taken from a rounded 0.999 it leaves 6e-6.
        CHECK(std::abs(double(values.data()[0]) + 1) < 1e-6);
        CHECK(std::abs(double(values.data()[1]) - 1) < 1e-6);
    }
}

// Without momentum, a step of SGD under a gradient of -1 is as long as the rate.
TEST_CASE("optimizers: a schedule falls to 0 after the warm-up") {
    const auto rates = [](Schedule schedule, int64_t warmup, int64_t steps) {
        const Tensor values = Tensor::zeros({1}), grads = Tensor::full({1}, -1);
        const auto optimizer = make_optimizer("sgd", values, grads,
                                              {.lr = 2,
                                               .beta1 = 0,
                                               .weight_decay = 0,
                                               .warmup = warmup,
                                               .schedule = schedule,
                                               .steps = steps});
        std::vector<double> found;
        for (int step = 0; step < 8; ++step) {
            const double before = values.data()[0];
            optimizer->step();
            found.push_back(values.data()[0] - before);
        }
        return found;
    };
    const auto check = [](const std::vector<double>& found, const std::vector<double>& expected) {
        REQUIRE(found.size() == expected.size());
        for (size_t i = 0; i < expected.size(); ++i) {
            CAPTURE(i);
            CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-5));
        }
    };
    check(rates(Schedule::constant, 2, 6), {1, 2, 2, 2, 2, 2, 2, 2});
    check(rates(Schedule::linear, 2, 6), {1, 2, 2, 1.5, 1, 0.5, 0, 0});
    const double far = 1 + std::sqrt(0.5), near = 1 - std::sqrt(0.5);
    check(rates(Schedule::cosine, 2, 6), {1, 2, 2, far, 1, near, 0, 0});
    check(rates(Schedule::linear, 0, 4), {2, 1.5, 1, 0.5, 0, 0, 0, 0});
    check(rates(Schedule::cosine, 4, 4), {0.5, 1, 1.5, 2, 0, 0, 0, 0});
    check(rates(Schedule::linear, 4, 2), {0.5, 1, 1.5, 2, 0, 0, 0, 0});  // it never ends warm
}

TEST_CASE("optimizers: to step, save or load in evaluation mode is an error") {
    for (const char* kind : {"sgd", "adamw", "schedule_free"}) {
        Problem problem;
        auto optimizer = make_optimizer(kind, problem.values, problem.grads, settings);
        optimizer->step();
        optimizer->eval();
        CHECK_THROWS_WITH_AS(optimizer->step(), doctest::Contains("evaluation mode"), Error);
        CHECK_THROWS_WITH_AS(optimizer->state_dict(), doctest::Contains("evaluation mode"), Error);
        CHECK_THROWS_WITH_AS(optimizer->load_state_dict({}, "f"),
                             doctest::Contains("evaluation mode"), Error);
        optimizer->train();
        optimizer->step();
        CHECK(optimizer->steps() == 2);
    }
}

TEST_CASE("optimizers: saved and loaded they go on with the same bits") {
    for (const char* kind : {"sgd", "adamw", "schedule_free"}) {
        CAPTURE(kind);
        Problem straight, broken;
        auto one = make_optimizer(kind, straight.values, straight.grads, settings);
        auto two = make_optimizer(kind, broken.values, broken.grads, settings);
        for (int step = 0; step < 20; ++step) {
            straight.set_grads(step);
            one->step();
            broken.set_grads(step);
            two->step();
            if (step == 9) {
                Optimizer::State saved = two->state_dict();
                for (auto& [name, tensor] : saved.tensors) {
                    tensor = tensor.clone();
                }
                two = make_optimizer(kind, broken.values, broken.grads, settings);
                two->load_state_dict(saved, "file");
            }
        }
        CHECK(same(straight.values, broken.values));

        Optimizer::State damaged = two->state_dict();
        damaged.numbers.erase("steps");
        CHECK_THROWS_AS(two->load_state_dict(damaged, "file"), Error);
        damaged = two->state_dict();
        damaged.tensors.begin()->second = Tensor::zeros({P + 1});
        CHECK_THROWS_AS(two->load_state_dict(damaged, "file"), Error);
    }
}

TEST_CASE("optimizers: impossible settings are refused") {
    Problem problem;
    const auto make = [&](const char* kind, const OptimizerSettings& s) {
        make_optimizer(kind, problem.values, problem.grads, s);
    };
    CHECK_THROWS_AS(make("adam", {}), Error);
    CHECK_THROWS_AS(make("sgd", {.lr = -1}), Error);
    CHECK_THROWS_AS(make("adamw", {.beta1 = 1}), Error);
    CHECK_THROWS_AS(make("adamw", {.beta2 = -0.1}), Error);
    CHECK_THROWS_AS(make("adamw", {.eps = 0}), Error);
    CHECK_THROWS_AS(make("sgd", {.weight_decay = -1}), Error);
    CHECK_THROWS_AS(make("sgd", {.warmup = -1}), Error);
    CHECK_THROWS_AS(make("schedule_free", {.beta1 = 0}), Error);
    CHECK_THROWS_WITH_AS(make("sgd", {.schedule = Schedule::linear}),
                         doctest::Contains("needs the number of steps"), Error);
    CHECK_THROWS_WITH_AS(make("schedule_free", {.schedule = Schedule::cosine, .steps = 5}),
                         doctest::Contains("takes no schedule"), Error);
}

}  // namespace smoe
