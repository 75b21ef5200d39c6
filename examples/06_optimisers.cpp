// Lesson 6: four rules for the step, called optimisers, in one valley. The loss is
//     f(a, b) = e^-a + k(a) b^2 / 2,   k(a) = 1 + a^2
// a long valley that falls slowly along a, and whose walls get steeper: k is the second derivative
// along b, the curvature. Lesson 2 found a step too long where lr times the curvature is above 2,
// and lesson 5 met the consequence: a loss that falls, then jumps.
// Claims: gradient descent walks into the steep part until lr k is above 2, jumps, and lands where
// the valley is wide; with half of lr it goes on for more than five times as long. If gradients are
// noisy, as those of random batches are, momentum and AdamW end lower than plain steps, and
// schedule-free steps lowest, each at the best of its rates. The rules are those of nn/optim.
// Next: 07_overfitting.cpp.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/check.h"
#include "core/rng.h"
#include "examples/picture.h"
#include "nn/optim/optimizer.h"

using namespace smoe;

namespace {

using Pair = std::array<double, 2>;  // a, b
double k(double a) {
    return 1 + a * a;
}
double f(const Pair& p) {
    return std::exp(-p[0]) + k(p[0]) * p[1] * p[1] / 2;
}
Pair gradient(const Pair& p) {
    return {-std::exp(-p[0]) + p[0] * p[1] * p[1], k(p[0]) * p[1]};
}

// One of the numbers, with what the rules remember of it.
struct Number {  // the rules below change it by its gradient g in step t = 1, 2, ...
    double value, average = value, z = value, m = 0, v = 0;
};

// The root of the running mean of g^2, corrected for its start at 0: the usual size of g.
double size(Number& n, double g, int t) {
    n.v = 0.999 * n.v + 0.001 * g * g;
    return std::sqrt(n.v / (1 - std::pow(0.999, t))) + 1e-8;
}

void plain(Number& n, double g, int, double lr) {
    n.value -= lr * g;
}
// A ball that rolls: what pushes the same way each time adds up, to ten times a single push.
void momentum(Number& n, double g, int, double lr) {
    n.m = 0.9 * n.m + g;
    n.value -= lr * n.m;
}
// A step of about lr along each number, however steep.
void adamw(Number& n, double g, int t, double lr) {
    n.m = 0.9 * n.m + 0.1 * g;
    n.value -= lr * n.m / (1 - std::pow(0.9, t)) / size(n, g, t);
}
// z takes bold steps. Their average is the result, and gradients are taken close to it.
void schedule_free(Number& n, double g, int t, double lr) {
    n.z -= lr * g / size(n, g, t);
    n.average += (n.z - n.average) / t;
    n.value = 0.9 * n.average + 0.1 * n.z;
}

struct Kind {
    const char *name, *in_library;
    void (*rule)(Number& n, double g, int t, double lr);
};
constexpr std::array<Kind, 4> kinds = {{{"plain", "sgd", plain},
                                        {"momentum", "sgd", momentum},
                                        {"AdamW", "adamw", adamw},
                                        {"schedule-free", "schedule_free", schedule_free}}};

// Where a walk with noisy gradients ends, by the rule above or by the library's, which is in float.
Pair walk(const Kind& kind, double lr, int steps, uint64_t seed, bool library = false) {
    Rng rng(6, seed);
    std::array<Number, 2> n = {Number{0}, Number{1}};
    const Tensor values = Tensor::from({2}, {0, 1}), grads = Tensor::zeros({2});
    const OptimizerSettings settings{
        .lr = lr, .beta1 = kind.rule == plain ? 0 : 0.9, .weight_decay = 0};
    const auto optimizer = make_optimizer(kind.in_library, values, grads, settings);
    for (int t = 1; t <= steps; ++t) {
        const Pair g = gradient({n[0].value, n[1].value});
        for (size_t i = 0; i < 2; ++i) {
            grads.data()[i] = real(g[i] + 0.5 * rng.normal());
            kind.rule(n[i], double(grads.data()[i]), t, lr);
        }
        optimizer->step();
    }
    const bool averages = kind.rule == schedule_free;
    optimizer->eval();
    return library    ? Pair{values.data()[0], values.data()[1]}
           : averages ? Pair{n[0].average, n[1].average}
                      : Pair{n[0].value, n[1].value};
}

// Descent without noise. Returns the first step that doubles the loss.
int first_jump(double lr, int steps) {
    fmt::print("    step        a          b      loss     lr k\n");
    int jump = 0;
    Pair p = {0, 1};
    for (int step = 0; step <= steps; ++step) {
        const Pair g = gradient(p), next = {p[0] - lr * g[0], p[1] - lr * g[1]};
        const bool jumps = jump == 0 && f(next) > 2 * f(p);
        if (step % (steps / 12) == 0 || jumps) {
            fmt::print("    {:4}{:9.3f}{:11.1e}{:10.4f}{:9.2f}{}\n", step, p[0], p[1], f(p),
                       lr * k(p[0]), jumps ? "  and the loss doubles" : "");
        }
        check(!jumps || lr * k(p[0]) > 2, "lesson: it should jump only where lr k is above 2");
        jump = jumps ? step : jump;
        p = next;
    }
    return jump;
}

// The valley, and the same walk by all four rules.
void paint() {
    Plane plane("one walk of 100 steps each; the loss is higher where it is greyer", "a", {-0.5, 4},
                "b", {-1.2, 1.2});
    plane.ground([](double a, double b) { return std::pair(7, std::min(0.75, f({a, b}) / 4)); });
    for (size_t i = 0; i < kinds.size(); ++i) {
        Plane::Points path;
        for (int steps = 0; steps <= 100; ++steps) {
            const Pair at = walk(kinds[i], i == 0 ? 0.03 : i == 1 ? 0.01 : 0.1, steps, 1);
            path.emplace_back(at[0], at[1]);
        }
        plane.curve(path, i, kinds[i].name);
    }
    plane.save("06_optimisers");
}

}  // namespace

int main() {
    fmt::print("Gradient descent, lr = 0.3. Where lr k > 2, b grows, unseen until it is large:\n");
    check(first_jump(0.3, 120) > 0, "lesson: the loss should jump");
    fmt::print("and with lr = 0.15:\n");
    check(first_jump(0.15, 600) == 0, "lesson: with half of lr it should not jump yet");

    fmt::print(
        "\nWith noise, the mean loss of 20 walks after so many steps, best of four rates:\n"
        "                      lr        30       100      1000\n");
    std::array<double, 4> end = {};
    for (const Kind& kind : kinds) {
        const auto mean_loss = [&kind](double lr, int steps) {
            double total = 0;
            for (uint64_t seed = 0; seed < 20; ++seed) {
                total += f(walk(kind, lr, steps, seed)) / 20;
            }
            return std::isnan(total) ? 1e9 : total;
        };
        const double lr = std::min({0.01, 0.03, 0.1, 0.3}, [&](double one, double other) {
            return mean_loss(one, 1000) < mean_loss(other, 1000);
        });
        fmt::print("    {:15}{:5}{:10.4f}{:10.4f}{:10.4f}\n", kind.name, lr, mean_loss(lr, 30),
                   mean_loss(lr, 100), mean_loss(lr, 1000));
        end[size_t(&kind - kinds.data())] = mean_loss(lr, 1000);
        const Pair here = walk(kind, lr, 100, 1), there = walk(kind, lr, 100, 1, true);
        check(std::hypot(here[0] - there[0], here[1] - there[1]) < 1e-3,
              "lesson: {} should be as in the library", kind.name);
    }
    paint();
    check(end[1] < end[0] && end[2] < end[0], "lesson: momentum and AdamW should beat plain steps");
    check(end[3] < std::min(end[1], end[2]), "lesson: schedule-free steps should end lowest");
    return 0;
}
