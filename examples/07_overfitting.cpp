// Lesson 7: three things that can go wrong although each derivative is right. A network can learn
// its examples by heart (overfitting), which shows only on examples that it has never seen; dropout
// works against that. The numbers that weights start from (the initialisation) decide whether
// signals arrive at all.
// Claims: without dropout, the loss on unseen points falls, then rises by more than 0.3, while that
// on the points that are learned goes below 0.05. With dropout it ends lower than it ever was
// without. If all weights start equal, the hidden neurons stay equal. Through 20 layers, a signal
// keeps its size if weights start with a deviation of sqrt(2 / inputs); with half of that it is
// lost, and with twice that it becomes about a million (2^20) times as large.
// Next: 08_characters.cpp, where text comes in.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "core/rng.h"
#include "core/threads.h"
#include "core/vector_math.h"
#include "examples/picture.h"

using namespace smoe;

namespace {

constexpr int64_t inputs = 20, hidden = 64, width = 100;  // width: of the deep network
constexpr real lr = real(0.3);

// Points of two kinds, which differ in the means of the first two of their 20 numbers. The other 18
// only help to learn points by heart.
struct Points {
    Tensor x;  // (N, inputs)
    std::vector<int32_t> kind;

    Points(int64_t count, Rng& rng) : x(Tensor::empty({count, inputs})) {
        for (int64_t i = 0; i < count; ++i) {
            kind.push_back(int32_t(i % 2));
            for (int64_t c = 0; c < inputs; ++c) {
                const double middle = c < 2 ? (i % 2 == 0 ? -0.8 : 0.8) : 0;
                x.data()[i * inputs + c] = real(middle + rng.normal());
            }
        }
    }
};

Variable weight(int64_t out, int64_t in, double deviation, Rng& rng) {
    const Tensor values = Tensor::empty({out, in});
    for (real& value : values.values()) {
        value = real(deviation * rng.normal());
    }
    return Variable(values, true);
}

struct Network {
    Variable first, second;  // (hidden, inputs), (2, hidden)

    explicit Network(Rng& rng)
        : first(weight(hidden, inputs, std::sqrt(2.0 / inputs), rng)),
          second(weight(2, hidden, std::sqrt(2.0 / hidden), rng)) {}

    // With dropout, each input and each hidden neuron is 0 with probability p, at random in each
    // step. The others are multiplied by 1 / (1 - p), so sums stay the same on average.
    Variable loss(const Points& points, double p = 0, uint64_t seed = 0) const {
        const Variable x = dropout(Variable(points.x), p, 2 * seed);
        const Variable neurons = dropout(relu(linear(x, first)), p, 2 * seed + 1);  // (N, hidden)
        return mean(cross_entropy(linear(neurons, second), points.kind));
    }
    void step(const Points& points, double p, uint64_t seed) {
        backward(loss(points, p, seed));
        for (const Variable& weights : {first, second}) {
            axpy(weights.shape().numel(), -lr, weights.grad().data(), weights.value().data());
            weights.zero_grad();
        }
    }
};

struct End {
    double learned, unseen, best;  // best: the least loss on unseen points on the way
};

End train(const Points& points, const Points& unseen, double p, Plane& plane) {
    Rng rng(7);
    Network network(rng);
    End end = {0, 0, 1e9};
    Plane::Points learned, others;
    fmt::print("    step   learned    unseen\n");
    for (int step = 0; step <= 2000; ++step) {
        end.learned = network.loss(points).value().item();
        end.unseen = network.loss(unseen).value().item();
        end.best = std::min(end.best, end.unseen);
        learned.emplace_back(step, end.learned);
        others.emplace_back(step, end.unseen);
        if (step == 20 || step == 100 || step % 500 == 0) {
            fmt::print("    {:4}{:10.3f}{:10.3f}\n", step, end.learned, end.unseen);
        }
        network.step(points, p, uint64_t(step));
    }
    plane.curve(learned, p > 0 ? 2 : 0, p > 0 ? "learned, dropout" : "learned");
    plane.curve(others, p > 0 ? 3 : 1, p > 0 ? "unseen, dropout" : "unseen");
    return end;
}

// The size of a signal of size 1 after 20 layers; sizes are roots of mean squares.
double after_layers(double deviation) {
    Rng rng(7);
    Variable x(weight(50, width, 1, rng).value());
    for (int layer = 0; layer < 20; ++layer) {
        x = relu(linear(x, Variable(weight(width, width, deviation, rng).value())));
    }
    return std::sqrt(mean(x * x).value().item());
}

}  // namespace

int main() {
    set_threads(1);  // little work: beside busy programs, two threads would be many times slower
    Rng rng(70);
    const Points points(80, rng), unseen(2000, rng);
    fmt::print("A network learns 80 points by heart. Loss on them, and on 2,000 others:\n");
    Plane plane("with and without dropout", "step", {0, 2000}, "loss", {0, 1.1});
    const End without = train(points, unseen, 0, plane);
    fmt::print("The same with dropout of one half:\n");
    const End with = train(points, unseen, 0.5, plane);
    plane.save("07_overfitting");
    check(without.learned < 0.05 && without.unseen > without.best + 0.3,
          "lesson: it should overfit, found {:.3f} and {:.3f}", without.learned, without.unseen);
    check(with.unseen < without.best, "lesson: dropout should end lower than it ever was without");

    fmt::print("\nAll weights 0.1 at the start, and 50 steps. Some weights of some neurons:\n");
    Network equal(rng);
    equal.first.value().fill(real(0.1));
    equal.second.value().fill(real(0.1));
    equal.second.value().narrow(1, 1).fill(real(-0.1));  // or the two kinds would stay alike, too
    for (uint64_t step = 0; step < 50; ++step) {
        equal.step(points, 0, step);
    }
    const real* const weights = equal.first.value().data();
    double apart = 0;
    for (int64_t i = 0; i < hidden * inputs; ++i) {
        if (i / inputs < 3 && i % inputs < 5) {
            fmt::print("{:9.4f}{}", weights[i], i % inputs == 4 ? "  ...\n" : "");
        }
        apart = std::max(apart, double(std::abs(weights[i] - weights[i % inputs])));
    }
    fmt::print("All {} stay alike, up to rounding. Random numbers tell them apart.\n", hidden);
    check(apart < 1e-3, "lesson: equal neurons should stay equal, they differ by {}", apart);

    const double good = std::sqrt(2.0 / width);
    const double half = after_layers(good / 2), twice = after_layers(good * 2);
    fmt::print(
        "\nA signal's size after 20 layers, for weights of the size sqrt(2 / inputs): {:.2f},\n"
        "half of that: {:.1e}, twice that: {:.1e}\n",
        after_layers(good), half, twice);
    check(after_layers(good) > 0.2 && after_layers(good) < 5, "lesson: it should stay");
    check(half < 1e-5 && twice > 1e5, "lesson: others should lose it or blow it up");
    return 0;
}
