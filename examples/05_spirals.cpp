// Lesson 5: a small network learns to tell two spirals apart. It is made of ops alone: no Module,
// no optimiser. Neurons side by side are a layer: x W^T + b, bent by tanh or relu. Layers between
// input and output are called hidden; a straight line cannot separate the spirals, and two hidden
// layers bend it. The last layer gives two numbers for each point, its logits, one for each
// spiral. Softmax makes probabilities of them: e^logit, divided by the sum of both. The loss is
// the cross-entropy: minus the logarithm of the probability that the true spiral got.
// Claim: more than 95 % of the points end on the right side. The lesson prints the loss as it falls
// (and how it jumps on the way), then the plane with the regions that the network learned.
// Next: 06_optimisers.cpp, about the jump.
#include <fmt/core.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "core/rng.h"
#include "core/vector_math.h"
#include "examples/picture.h"

using namespace smoe;

namespace {

constexpr int64_t points = 400, hidden = 32;

struct Data {
    Tensor x = Tensor::empty({points, 2});
    std::vector<int32_t> label;
};

// Two arms of a spiral with a little noise. The second is the first turned by half a circle.
Data two_spirals(Rng& rng) {
    Data data;
    for (int64_t i = 0; i < points; ++i) {
        const int32_t arm = int32_t(i % 2);
        const double along = rng.uniform();
        const double angle = 3 * std::numbers::pi * along + std::numbers::pi * arm;
        data.x.data()[2 * i] = real((0.1 + 0.9 * along) * std::cos(angle) + 0.02 * rng.normal());
        data.x.data()[2 * i + 1] =
            real((0.1 + 0.9 * along) * std::sin(angle) + 0.02 * rng.normal());
        data.label.push_back(arm);
    }
    return data;
}

struct Network {
    std::vector<Variable> weights;  // W1, b1, W2, b2, W3, b3

    explicit Network(Rng& rng) {
        const int64_t sizes[] = {2, hidden, hidden, 2};
        for (int layer = 0; layer < 3; ++layer) {
            const Tensor weight = Tensor::empty({sizes[layer + 1], sizes[layer]});
            for (real& value : weight.values()) {
                value = real(rng.normal() * std::sqrt(2.0 / double(sizes[layer])));
            }
            weights.emplace_back(weight, true);
            weights.emplace_back(Tensor::zeros({sizes[layer + 1]}), true);
        }
    }
    Variable forward(const Variable& x) const {
        const Variable first = smoe::tanh(linear(x, weights[0], weights[1]));
        const Variable second = relu(linear(first, weights[2], weights[3]));
        return linear(second, weights[4], weights[5]);  // (N, 2)
    }
};

double accuracy(const Network& network, const Data& data) {
    const NoGrad no_grad;
    const Tensor logits = network.forward(Variable(data.x)).value();
    int64_t right = 0;
    for (int64_t i = 0; i < points; ++i) {
        right += argmax(logits.data() + 2 * i, 2) == data.label[size_t(i)];
    }
    return double(right) / points;
}

// The plane from -1.1 to 1.1: '#' and '.' are what the network says, 'x' and 'O' are the points.
void draw(const Network& network, const Data& data) {
    constexpr int64_t rows = 24, cols = 56;
    const NoGrad no_grad;
    const Tensor grid = Tensor::empty({rows * cols, 2});
    for (int64_t i = 0; i < rows * cols; ++i) {
        const int64_t row = i / cols, col = i % cols;
        grid.data()[2 * i] = real(-1.1 + 2.2 * double(col) / (cols - 1));
        grid.data()[2 * i + 1] = real(1.1 - 2.2 * double(row) / (rows - 1));
    }
    const Tensor logits = network.forward(Variable(grid)).value();
    std::string picture;
    for (int64_t i = 0; i < rows * cols; ++i) {
        picture += argmax(logits.data() + 2 * i, 2) == 0 ? '.' : '#';
    }
    for (int64_t i = 0; i < points; ++i) {
        const int64_t col = std::lround((data.x.data()[2 * i] + 1.1) / 2.2 * (cols - 1));
        const int64_t row = std::lround((1.1 - data.x.data()[2 * i + 1]) / 2.2 * (rows - 1));
        picture[size_t(row * cols + col)] = data.label[size_t(i)] == 0 ? 'O' : 'x';
    }
    for (int64_t row = 0; row < rows; ++row) {
        fmt::print("    {}\n", picture.substr(size_t(row * cols), size_t(cols)));
    }
}

void paint(const Network& network, const Data& data) {
    const NoGrad no_grad;
    Plane plane("what the network says, the paler the less sure", "x", {-1.76, 1.76}, "y",
                {-1.1, 1.1});
    plane.ground([&network](double x, double y) {
        const Tensor at = Tensor::from({1, 2}, {real(x), real(y)});
        const Tensor p = softmax(network.forward(Variable(at))).value();
        return std::pair(size_t(p.data()[1] > p.data()[0]), std::abs(p.data()[1] - 0.5));
    });
    for (int64_t i = 0; i < points; ++i) {
        plane.dot(data.x.data()[2 * i], data.x.data()[2 * i + 1], size_t(data.label[size_t(i)]));
    }
    plane.save("05_spirals");
}

}  // namespace

int main() {
    Rng rng(4);
    const Data data = two_spirals(rng);
    const Network network(rng);
    const real lr = 0.3f;
    std::vector<Tensor> last;  // the gradients of the step before
    for (const Variable& weight : network.weights) {
        last.push_back(Tensor::zeros(weight.shape()));
    }
    struct {
        int step = 0;
        double from = 0, to = 0, steepest = 0;
    } jump;  // the largest rise of the loss from one step to the next
    double before = 1, steepest = 0;
    for (int step = 0; step <= 2000; ++step) {
        const Variable loss = mean(cross_entropy(network.forward(Variable(data.x)), data.label));
        const double now = loss.value().item();
        if (step % 400 == 0) {
            fmt::print("step {:5}  loss {:.4f}  accuracy {:5.1f} %\n", step, now,
                       100 * accuracy(network, data));
        }
        if (step > 0 && now - before > jump.to - jump.from) {
            jump = {step, before, now, steepest};
        }
        before = now;
        backward(loss);
        double along = 0, square = 1e-30;
        for (size_t i = 0; i < last.size(); ++i) {
            const Variable& weight = network.weights[i];
            const Tensor grad = weight.grad();
            along += dot(last[i].data(), grad.data(), grad.numel());
            square += dot(last[i].data(), last[i].data(), grad.numel());
            last[i].copy_from(grad);
            axpy(grad.numel(), -lr, grad.data(), weight.value().data());  // weight -= lr * gradient
            weight.zero_grad();
        }
        // lr times the curvature along the last step: by how much of itself its gradient fell
        steepest = std::max(0.9 * steepest, step == 0 ? 0 : 1 - along / square);
    }
    fmt::print(
        "In step {} alone the loss rose from {:.2f} to {:.2f}. Just before, lr times the\n"
        "curvature had been {:.1f}, where lesson 2 found that 2 is too much; see lesson 6.\n",
        jump.step, jump.from, jump.to, jump.steepest);
    check(jump.to > 1.5 * jump.from && jump.steepest > 2,
          "lesson: the loss should jump, and only where lr times the curvature is above 2");
    draw(network, data);
    paint(network, data);
    check(accuracy(network, data) > 0.95,
          "lesson: the spirals should be separated, only {:.1f} % are",
          100 * accuracy(network, data));
    return 0;
}
