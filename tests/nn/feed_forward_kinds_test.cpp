// What every kind of feed-forward network is given and must do, tested with a kind defined here:
// the weights of rows, the list, costs, and that a network saves what its kind says.
// Read next: step_test.cpp.
#include <doctest/doctest.h>

#include "autograd/engine.h"
#include "nn/init.h"
#include "nn/masked_feed_forward.h"
#include "tests/autograd/gradient_check.h"
#include "tests/error_of.h"

namespace smoe {
namespace {

constexpr double tolerance = sizeof(real) == 8 ? 1e-12 : 1e-5;

// Each expert multiplies the row by a row of its own; the dense network changes nothing.
struct Diagonal : FeedForward {
    Diagonal(const Scope& scope, const FeedForwardSizes& s, Rng& init)
        : FeedForward(scope, s),
          table(register_parameter("table", uniform_tensor({s.num_experts, s.width}, 1, init))) {}

    std::vector<ProductCost> costs(int32_t) const override {
        return {{"table", double(sizes().num_experts * sizes().width), double(sizes().width)}};
    }

    Variable& table;

  private:
    Variable compute(const Variable& x, const Routing& routing) const override {
        return routing.is_dense() ? x : mul(x, embedding(table, routing.experts));
    }
    void step_part(int64_t, const StepRows& rows, const real* x, const std::vector<RowMatrix>&,
                   StepMemory&, real* y) const override {
        const int64_t C = sizes().width;
        for (int64_t i = 0; i < rows.size() * C; ++i) {
            const int32_t expert = rows.experts[size_t(i / C)];
            y[i] = x[i] * (expert == no_expert ? 1 : table.value().data()[expert * C + i % C]);
        }
    }
};

// A kind of networks of that class that says that they save these tensors.
FeedForwardKind diagonal(std::vector<SavedTensor> saved) {
    return {[](const Scope& scope, const FeedForwardSizes& sizes, const MaskTables&, Rng& init) {
                return std::make_unique<Diagonal>(scope, sizes, init);
            },
            [saved](const FeedForwardSizes&) { return saved; }};
}

// A kind that is added while the program runs, by the first test that asks for it.
const std::string& added_kind() {
    static const std::string name = [] {
        feed_forward_kinds().add("test-diagonal", diagonal({{"table", {2, 2}, true}}));
        return "test-diagonal";
    }();
    return name;
}

std::unique_ptr<FeedForward> make(const std::string& kind) {
    Rng init(1);
    const MaskTables masks{Tensor::from({2, 3}, {1, 0, 1, 0, 1, 0}),
                           Tensor::from({2, 2}, {1, 1, 0, 1})};
    return make_feed_forward(kind, Scope{}, {.width = 2, .hidden = 3, .num_experts = 2}, masks,
                             init);
}

TEST_CASE("feed-forward kinds: one added while the program runs is a name like the others") {
    const std::unique_ptr<FeedForward> made = make(added_kind());
    const Tensor x = random_tensor({3, 2}, 1), table = made->state_dict().at("table");
    const Tensor y = made->forward(Variable(x), Routing({1, 0, 1}, 2)).value();
    CHECK(y.data()[4] == x.data()[4] * table.data()[2]);
    CHECK(difference(made->forward(Variable(x), Routing::dense()).value(), x) == 0);
    CHECK(made->costs(0)[0].active == 2);
    CHECK(made->masks().empty());
    // What a kind does not say follows from these costs.
    CHECK(made->step_cost(0) == 2);
    CHECK(made->active_parameters(0) == 2);
    CHECK(made->skips_masked(std::vector<double>{1, 1}));
}

TEST_CASE("feed-forward kinds: a network saves what its kind says") {
    feed_forward_kinds().add("test-nothing", diagonal({}));
    feed_forward_kinds().add("test-more", diagonal({{"table", {2, 2}, true}, {"x", {1}, true}}));
    feed_forward_kinds().add("test-shape", diagonal({{"table", {2, 3}, true}}));
    feed_forward_kinds().add("test-buffer", diagonal({{"table", {2, 2}, false}}));
    const auto refused = [](const char* kind) { return error_of([&] { make(kind); }); };
    CHECK(refused("test-nothing") ==
          "the feed-forward network 'test-nothing' saves 'table', which its kind does not list");
    CHECK(refused("test-more") ==
          "the feed-forward network 'test-more' should save 'x' of shape (1), it has none");
    CHECK(refused("test-shape") ==
          "the feed-forward network 'test-shape' should save 'table' of shape (2, 3), it has (2, "
          "2)");
    CHECK(refused("test-buffer") ==
          "the feed-forward network 'test-buffer' has 4 trained numbers, its kind says 0");
    CHECK(refused("maskd").find("there is no feed-forward network 'maskd'; known are masked") == 0);
    for (const char* kind :
         {"masked", "masked-composed", "masked-fused", "masked-sparse", "masked-blocks"}) {
        CHECK(refused(kind) == "accepted");
    }
}

TEST_CASE("feed-forward kinds: costs count what an expert keeps") {
    const std::unique_ptr<FeedForward> ffn = make("masked");
    const auto check_costs = [&](int32_t expert, double first, double second) {
        const std::vector<ProductCost> costs = ffn->costs(expert);
        REQUIRE(costs.size() == 2);
        CHECK(costs[0].product == "lin_1");
        CHECK(costs[0].total == 6);
        CHECK(costs[0].active == first);
        CHECK(costs[1].total == 6);
        CHECK(costs[1].active == second);
    };
    check_costs(0, 4, 4);
    check_costs(1, 2, 1);
    check_costs(no_expert, 6, 6);
    CHECK(ffn->masks().size() == 2);
}

TEST_CASE("feed-forward kinds: the weights of rows, forward, backward and in steps") {
    const Tensor x = random_tensor({3, 2}, 1);
    const Experts experts = {1, 0, 1};
    for (const std::string& kind :
         {std::string("masked"), std::string("masked-composed"), added_kind()}) {
        CAPTURE(kind);
        const std::unique_ptr<FeedForward> ffn = make(kind);
        const Variable weights(Tensor::from({3}, {2, 0, -0.5}), true);
        const Variable plain = ffn->forward(Variable(x), Routing(experts, 2));
        const Variable weighted = ffn->forward(Variable(x), Routing(experts, 2, weights));
        const Tensor upstream = random_tensor({3, 2}, 2);
        backward(weighted, upstream);
        for (int64_t n = 0; n < 3; ++n) {
            double gradient = 0;
            for (int64_t c = 0; c < 2; ++c) {
                const double value = plain.value().data()[n * 2 + c];
                CHECK(weighted.value().data()[n * 2 + c] ==
                      doctest::Approx(value * weights.value().data()[n]));
                gradient += value * upstream.data()[n * 2 + c];
            }
            CHECK(weights.grad().data()[n] == doctest::Approx(gradient).epsilon(1e-5));
        }
        StepMemory memory;
        memory.reserve(ffn->step_needs(3), 3, 2);
        const std::vector<int32_t> slots = {0, 0, 0};
        const std::vector<int64_t> positions = {0, 1, 2};
        const StepParts parts = ffn->step({slots, positions, experts, weights.value().values()},
                                          x.data(), ffn->step_weights(Precision::float32), memory);
        REQUIRE(parts.count == 1);
        CHECK(difference(Tensor::from({3, 2}, std::span<const real>(parts.data, 6)),
                         weighted.value()) < tolerance);
    }
    CHECK(error_of([] {
              Routing({0, 1}, 2, Variable(Tensor::zeros({3})));
          }) == "routing: expected one weight for each of 2 rows, found (3)");
}

}  // namespace
}  // namespace smoe
