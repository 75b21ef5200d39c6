// The numbers of schedule_free.md: three sequences z, x and y, then the same steps without x, as the
// library takes them.
// Read next: nn/optim/schedule_free_adamw.cpp.
#include "examples/mathematics/steps.h"
#include "nn/optim/optimizer.h"

using namespace smoe::mathematics;

namespace {

constexpr double lr = 0.5, beta = 0.9, beta2 = 0.999;
constexpr int steps = 5;

// The loss is (w - 3)^2 / 2, and each gradient has an error, alternately up and down.
double gradient(double w, int t) {
    return w - 3 + (t % 2 == 0 ? 2 : -2);
}

// g divided by the root of the running mean of its squares.
double direction(double g, int t, double& v) {
    v = beta2 * v + (1 - beta2) * g * g;
    return g / (std::sqrt(v / (1 - std::pow(beta2, t + 1))) + 1e-8);
}

}  // namespace

int main() {
    fmt::print("   t        z        x        y   mean z\n");
    double z = 0, x = 0, y = 0, v = 0, sum = 0;
    for (int t = 0; t < steps; ++t) {
        z -= lr * direction(gradient(y, t), t, v);
        const double c = 1.0 / (t + 1);
        x = (1 - c) * x + c * z;
        y = (1 - beta) * z + beta * x;
        sum += z;
        fmt::print("{:4}{:9.4f}{:9.4f}{:9.4f}{:9.4f}\n", t, z, x, y, sum / (t + 1));
        expect_same("x is the mean of z", {{x}}, {{sum / (t + 1)}}, 1e-12);
    }

    fmt::print("without x:  z        y   x from both\n");
    double z2 = 0, y2 = 0, v2 = 0, x2 = 0;
    for (int t = 0; t < steps; ++t) {
        const double d = direction(gradient(y2, t), t, v2), c = 1.0 / (t + 1);
        y2 = (1 - c) * y2 + c * z2 + lr * (beta * (1 - c) - 1) * d;
        z2 -= lr * d;
        x2 = y2 + (1 - 1 / beta) * (z2 - y2);
        fmt::print("{:4}{:9.4f}{:9.4f}{:9.4f}\n", t, z2, y2, x2);
    }
    expect_same("both forms", {{z, x, y}}, {{z2, x2, y2}}, 1e-12);

    const smoe::Tensor values = smoe::Tensor::zeros({1}), grads = smoe::Tensor::zeros({1});
    const auto optimizer = smoe::make_optimizer("schedule_free", values, grads,
                                                {.lr = lr, .beta1 = beta, .weight_decay = 0});
    for (int t = 0; t < steps; ++t) {
        grads.data()[0] = smoe::real(gradient(double(values.data()[0]), t));
        optimizer->step();
    }
    optimizer->eval();
    expect_same("the library's x", matrix(values, 1), {{x}}, 1e-5);
    return 0;
}
