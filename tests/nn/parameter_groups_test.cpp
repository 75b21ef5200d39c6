// Groups of parameters with rates of their own, for every optimiser: what does not move, what moves
// as without groups, and what moves as another optimiser would move it.
// Read next: flat_parameters_test.cpp, where ranges come from.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "core/vector_math.h"
#include "nn/optim/optimizer.h"
#include "tests/error_of.h"

namespace smoe {
namespace {

// Several chunks of work, and groups that end nowhere near their borders.
constexpr int64_t P = 2 * elementwise_grain + 101, first = 1003, last = elementwise_grain + 77;

const OptimizerSettings settings{
    .lr = 0.05, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .weight_decay = 0.1, .warmup = 5};

OptimizerSettings with(std::vector<ParameterGroup> groups) {
    OptimizerSettings changed = settings;
    changed.groups = std::move(groups);
    return changed;
}

struct Result {
    Tensor start, trained, evaluated;
};

// Twenty steps with gradients that depend on where the parameters are.
Result result(const std::string& kind, const OptimizerSettings& s) {
    const Tensor values = Tensor::empty({P}), grads = Tensor::empty({P});
    Rng rng(3);
    for (real& value : values.values()) {
        value = real(rng.normal());
    }
    const Tensor start = values.clone();
    const auto optimizer = make_optimizer(kind, values, grads, s);
    for (int step = 0; step < 20; ++step) {
        for (int64_t i = 0; i < P; ++i) {
            grads.data()[i] = real(0.3) * values.data()[i] + real(std::sin(double(i + 2 * step)));
        }
        optimizer->step();
    }
    const Tensor trained = values.clone();
    optimizer->eval();
    return {start, trained, values};
}

bool same(const Tensor& a, const Tensor& b, int64_t begin, int64_t end) {
    return std::equal(a.data() + begin, a.data() + end, b.data() + begin);
}

// The largest difference in a range, relative to what training changed at most.
double difference(const Tensor& a, const Tensor& b, int64_t begin, int64_t end) {
    double most = 0;
    for (int64_t i = begin; i < end; ++i) {
        most = std::max(most, std::abs(double(a.data()[i]) - double(b.data()[i])));
    }
    return most;
}

const char* const kinds[] = {"sgd", "adamw", "schedule_free"};

}  // namespace

TEST_CASE("parameter groups: with factor 0 nothing moves, with 1 all is as without a group") {
    for (const char* kind : kinds) {
        CAPTURE(std::string(kind));
        const Result plain = result(kind, settings);
        const Result still = result(kind, with({{.begin = first, .end = last, .lr = 0}}));
        const Result one = result(kind, with({{.begin = first, .end = last}}));
        for (Tensor Result::*part : {&Result::trained, &Result::evaluated}) {
            CHECK(same(still.*part, still.start, first, last));
            CHECK(same(still.*part, plain.*part, 0, first));
            CHECK(same(still.*part, plain.*part, last, P));
            CHECK(same(one.*part, plain.*part, 0, P));
            CHECK(!same(plain.*part, plain.start, first, last));
        }
    }
}

TEST_CASE("parameter groups: a factor is another optimiser's rate, in both modes") {
    for (const char* kind : kinds) {
        for (const double factor : {0.5, 0.3, 3.0}) {
            CAPTURE(std::string(kind));
            CAPTURE(factor);
            OptimizerSettings other = settings;
            other.lr *= factor;
            const Result plain = result(kind, settings), expected = result(kind, other);
            const Result grouped =
                result(kind, with({{.begin = last, .end = P, .lr = factor},  // in any order
                                   {.begin = 0, .end = first, .lr = factor}}));
            for (Tensor Result::*part : {&Result::trained, &Result::evaluated}) {
                CHECK(same(grouped.*part, plain.*part, first, last));
                // Schedule-free's c is a quotient of sums, which round otherwise if all rates are
                // multiplied, except by a power of two.
                const double tolerance = factor == 0.5 ? 0 : sizeof(real) == 8 ? 1e-13 : 1e-6;
                CHECK(difference(grouped.*part, expected.*part, 0, first) <= tolerance);
                CHECK(difference(grouped.*part, expected.*part, last, P) <= tolerance);
            }
            CHECK(difference(plain.trained, expected.trained, 0, first) > 0.01);
        }
    }
}

TEST_CASE("parameter groups: weight decay has a factor of its own") {
    for (const char* kind : kinds) {
        CAPTURE(std::string(kind));
        OptimizerSettings without = settings;
        without.weight_decay = 0;
        const Result plain = result(kind, settings), expected = result(kind, without);
        const Result grouped =
            result(kind, with({{.begin = first, .end = last, .weight_decay = 0}}));
        CHECK(same(grouped.trained, expected.trained, first, last));
        CHECK(same(grouped.trained, plain.trained, 0, first));
        CHECK(!same(grouped.trained, plain.trained, first, last));
    }
}

TEST_CASE("parameter groups: those that overlap or lie outside are refused") {
    const auto refusal = [](std::vector<ParameterGroup> groups) {
        const Tensor values = Tensor::zeros({10}), grads = Tensor::zeros({10});
        return error_of([&] { make_optimizer("sgd", values, grads, with(groups)); });
    };
    CHECK(refusal({{0, 4}, {4, 10}, {10, 10}}) == "accepted");
    const std::string wrong = "overlaps another or does not lie among 10 parameters";
    CHECK(refusal({{0, 5}, {4, 10}}).find(wrong) != std::string::npos);
    CHECK(refusal({{4, 10}, {0, 5}}).find(wrong) != std::string::npos);
    CHECK(refusal({{-1, 5}}).find(wrong) != std::string::npos);
    CHECK(refusal({{5, 11}}).find(wrong) != std::string::npos);
    CHECK(refusal({{5, 4}}).find(wrong) != std::string::npos);
    CHECK(refusal({{0, 5, -1}}).find("must not be negative") != std::string::npos);
    CHECK(refusal({{0, 5, 1, NAN}}).find("must not be negative") != std::string::npos);
}

}  // namespace smoe
