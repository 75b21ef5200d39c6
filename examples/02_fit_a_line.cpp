// Lesson 2: why learning needs derivatives. A candle was measured each hour, and a line
// y = w x + b shall say how high it is. The numbers w and b, which learning changes, are called
// weights (or parameters). The loss says how wrong they are: here the mean of the squared errors.
// Its derivative says how the loss changes if a weight grows a little, so the loss falls if each
// weight takes a step against its own: w -= lr * dw, where lr is the learning rate. All of
// training, up to the largest models, repeats that line.
// Claims: these steps find the best line there is, which a formula gives, too. A step that is a
// hundred times shorter is not there yet, and one that is a little too long never will be.
// Next: 03_derivative.cpp, where derivatives come from if there is no formula for all of it.
#include <fmt/core.h>

#include <array>
#include <cmath>

#include "core/check.h"
#include "examples/picture.h"

using namespace smoe;

namespace {

constexpr size_t points = 7;
constexpr std::array<double, points> x = {-3, -2, -1, 0, 1, 2, 3};  // hours from noon
constexpr std::array<double, points> y = {16.3, 15.2, 13.4, 12.2, 10.3, 9.2, 7.4};  // centimetres

struct Line {
    double w, b;
};

double loss(const Line& line) {
    double total = 0;
    for (size_t i = 0; i < points; ++i) {
        const double error = line.w * x[i] + line.b - y[i];
        total += error * error;
    }
    return total / points;
}

// The derivatives of the loss: of error^2 with respect to w it is 2 error x, to b it is 2 error.
Line gradient(const Line& line) {
    Line d = {0, 0};
    for (size_t i = 0; i < points; ++i) {
        const double error = line.w * x[i] + line.b - y[i];
        d.w += 2 * error * x[i] / points;
        d.b += 2 * error / points;
    }
    return d;
}

// Where both derivatives are 0. Such a formula exists for a line, and for hardly anything else.
Line best_line() {
    double xx = 0, xy = 0, sum_y = 0;
    for (size_t i = 0; i < points; ++i) {
        xx += x[i] * x[i], xy += x[i] * y[i], sum_y += y[i];
    }
    return {xy / xx, sum_y / points};  // the x sum to 0, which keeps it short
}

// For printing: no -0.0000.
double shown(double number) {
    return std::abs(number) < 5e-5 ? 0 : number;
}

Line descend(double lr, int steps, bool show, Plane::Points* path = nullptr) {
    Line line = {0, 0};
    for (int step = 0; step < steps; ++step) {
        const Line d = gradient(line);
        if (show && (step < 4 || step % 10 == 0)) {
            fmt::print("    {:4}{:10.4f}{:10.4f}{:12.4f}{:11.4f}{:11.4f}\n", step, line.w, line.b,
                       loss(line), shown(d.w), shown(d.b));
        }
        if (path != nullptr) {
            path->emplace_back(line.w, line.b);
        }
        line.w -= lr * d.w;
        line.b -= lr * d.b;
    }
    return line;
}

}  // namespace

int main() {
    fmt::print(
        "With b = 12, some w and the loss of each. Its derivative dw is positive where the loss\n"
        "rises with w, and negative where it falls: it knows the way without trying.\n\n"
        "          w      loss        dw\n");
    for (double w = -3; w <= 0; w += 0.5) {
        fmt::print("    {:7.2f}{:10.3f}{:10.3f}\n", w, loss({w, 12}), gradient({w, 12}).w);
    }
    const Line uphill = gradient({0, 12}), downhill = gradient({-3, 12});
    check(uphill.w > 0 && downhill.w < 0, "lesson: dw should point away from the best w");

    fmt::print(
        "\nFrom w = b = 0, each step w -= 0.1 dw, b -= 0.1 db:\n\n"
        "    step         w         b        loss         dw         db\n");
    const Line found = descend(0.1, 61, true), best = best_line();
    fmt::print(
        "\nFound {:.4f} x + {:.4f}; the formula for the best line gives {:.4f} x + {:.4f}.\n",
        found.w, found.b, best.w, best.b);
    check(std::abs(found.w - best.w) < 1e-4 && std::abs(found.b - best.b) < 1e-4,
          "lesson: the steps should find the best line");

    // Along w the loss is a parabola. Its second derivative, called the curvature, is
    // 2 mean(x^2) = 8: a step of lr * 8 times the distance to its bottom. Beyond twice the
    // distance, each step ends higher.
    fmt::print(
        "\nHow long should a step be? After 61 steps:\n\n"
        "      lr            loss   which is\n");
    const double least = loss(best);
    for (const auto& [lr, what] : {std::pair{0.001, "too short to be there yet"},
                                   {0.01, "the same, but closer"},
                                   {0.1, "there"},
                                   {0.24, "there, although w jumps from side to side"},
                                   {0.26, "farther with each step: 0.26 * 8 is above 2"}}) {
        fmt::print("    {:5.3f}{:15.4f}   {}\n", lr, loss(descend(lr, 61, false)), what);
    }
    Plane plane("three walks of 61 steps; the loss is higher where it is greyer", "w", {-3.2, 0.4},
                "b", {-1, 25});
    plane.ground([](double w, double b) {
        return std::pair(7, std::min(0.8, loss({w, b}) / 200));
    });
    for (const auto& [lr, colour] : {std::pair{0.26, 1}, {0.24, 2}, {0.1, 0}}) {
        Plane::Points path;
        descend(lr, 61, false, &path);
        plane.curve(path, size_t(colour), fmt::format("lr = {}", lr));
    }
    plane.save("02_fit_a_line");
    check(loss(descend(0.001, 61, false)) > 100 * least, "lesson: 0.001 should be too short");
    check(loss(descend(0.24, 61, false)) < 1.1 * least, "lesson: 0.24 should be short enough");
    check(loss(descend(0.26, 61, false)) > loss({0, 0}), "lesson: 0.26 should be too long");
    return 0;
}
