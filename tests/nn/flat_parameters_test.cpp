// The length of a gradient, and what happens if it is too long or not a number.
//
// Read next: optimizer_test.cpp.
#include "nn/flat_parameters.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/threads.h"
#include "nn/layers.h"
#include "nn/linear.h"

namespace smoe {
namespace {

struct Net : Module {
    Net()
        : Module(Scope{}),
          rng(1),
          wide({this, "wide"}, 300, 200, true, rng),
          norm({this, "norm"}, 5) {}

    Rng rng;
    Linear wide;  // several chunks of work
    LayerNorm norm;
};

void fill_with_waves(const Tensor& tensor) {
    for (int64_t i = 0; i < tensor.numel(); ++i) {
        tensor.data()[i] = real(std::sin(double(i)));
    }
}

double length(const Tensor& tensor) {
    long double square = 0;
    for (const real x : tensor.values()) {
        square += (long double)(x)*x;
    }
    return double(std::sqrt(square));
}

bool same(const Tensor& a, const Tensor& b) {
    return std::equal(a.values().begin(), a.values().end(), b.values().begin());
}

}  // namespace

TEST_CASE("flat parameters: a gradient that is too long is scaled, another left alone") {
    Net net;
    const FlatParameters flat(net);
    fill_with_waves(flat.grads());
    const Tensor before = flat.grads().clone();
    const double norm = length(before);
    CHECK(norm > 100);
    for (const double most : {norm * 1.001, double(HUGE_VAL)}) {
        CHECK(flat.clip_grad_norm(most) == doctest::Approx(norm).epsilon(1e-12));
        CHECK(same(flat.grads(), before));
    }
    CHECK(flat.clip_grad_norm(3) == doctest::Approx(norm).epsilon(1e-12));
    CHECK(length(flat.grads()) == doctest::Approx(3).epsilon(1e-5));
    CHECK(flat.grads().data()[1] / before.data()[1] == doctest::Approx(3 / norm).epsilon(1e-5));
    flat.zero_grad();
    CHECK(flat.clip_grad_norm(3) == 0);
}

TEST_CASE("flat parameters: the length has the same bits for any number of threads") {
    Net net;
    const FlatParameters flat(net);
    const int before = threads();
    double first = 0;
    Tensor clipped;
    for (const int count : {1, 2, 4}) {
        set_threads(count);
        fill_with_waves(flat.grads());
        const double norm = flat.clip_grad_norm(2);
        if (count == 1) {
            first = norm;
            clipped = flat.grads().clone();
        }
        CHECK(norm == first);
        CHECK(same(flat.grads(), clipped));
    }
    set_threads(before);
}

TEST_CASE("flat parameters: parameters are found by name, and neighbours are one range") {
    Net net;
    const FlatParameters flat(net);
    using Ranges = std::vector<std::pair<int64_t, int64_t>>;
    const auto with_end = [&](const std::string& end) {
        return flat.ranges([&](const std::string& name) { return name.ends_with(end); });
    };
    CHECK(with_end("wide.bias") == Ranges{{60000, 60200}});
    CHECK(with_end("weight") == Ranges{{0, 60000}, {60200, 60205}});
    CHECK(flat.ranges([](const std::string& name) {
        return name == "wide.bias" || name == "norm.weight";
    }) == Ranges{{60000, 60205}});
    CHECK(with_end("") == Ranges{{0, 60210}});
    CHECK(with_end("gate.weight").empty());
    flat.values().data()[60200] = 17;
    CHECK(net.norm.weight.value().data()[0] == 17);
}

TEST_CASE("flat parameters: large numbers do not overflow, and what is no number is named") {
    Net net;
    const FlatParameters flat(net);
    flat.grads().fill(real(1e30));
    CHECK(flat.clip_grad_norm(1) ==
          doctest::Approx(1e30 * std::sqrt(double(flat.grads().numel()))));
    CHECK(flat.first_not_finite(flat.grads()) == "");
    for (const real bad : {std::numeric_limits<real>::quiet_NaN(), real(-HUGE_VAL)}) {
        flat.zero_grad();
        net.norm.bias.grad().data()[4] = bad;
        CHECK(!std::isfinite(flat.clip_grad_norm(HUGE_VAL)));
        CHECK(flat.first_not_finite(flat.grads()) == "norm.bias");
        CHECK(flat.first_not_finite(flat.values()) == "");
    }
    flat.values().data()[7] = std::numeric_limits<real>::infinity();
    CHECK(flat.first_not_finite(flat.values()) == "wide.weight");
}

}  // namespace smoe
