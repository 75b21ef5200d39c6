// The forms of the masked feed-forward network against the composed one: values and every gradient,
// over random sizes, rates, mask positions and experts. Also when the sparse form is used.
// Read next: feed_forward_kinds_test.cpp.
#include "nn/masked_feed_forward.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "autograd/autocast.h"
#include "autograd/engine.h"
#include "core/check.h"
#include "core/vector_math.h"
#include "tests/autograd/gradient_check.h"

namespace smoe {
namespace {

// Of what is compared; sums of a few hundred terms.
constexpr double tolerance = sizeof(real) == 8 ? 1e-12 : 1e-4;

struct Sizes {
    int64_t rows, width, hidden, num_experts;
    double rate;
    MaskWhere where;
    MaskScale scale;
    std::string family = "bernoulli";
};

Sizes random_sizes(Rng& rng) {
    constexpr std::array<double, 5> rates = {0, 0.2, 0.5, 0.8, 0.9};
    constexpr std::array<MaskWhere, 3> places = {MaskWhere::hidden, MaskWhere::output,
                                                 MaskWhere::both};
    constexpr std::array<MaskScale, 3> scales = {MaskScale::inverse, MaskScale::root,
                                                 MaskScale::one};
    return {.rows = 1 + int64_t(rng.below(600)),
            .width = 40 + int64_t(rng.below(60)),
            .hidden = 60 + int64_t(rng.below(500)),
            .num_experts = 1 + int64_t(rng.below(12)),
            .rate = rates[rng.below(rates.size())],
            .where = places[rng.below(places.size())],
            .scale = scales[rng.below(scales.size())]};
}

// Some experts without rows, one with a single row, the others by chance.
Experts random_experts(const Sizes& sizes, Rng& rng) {
    Experts experts(static_cast<size_t>(sizes.rows));
    const uint64_t used = 1 + rng.below(uint64_t(sizes.num_experts));
    for (int32_t& expert : experts) {
        expert = int32_t(rng.below(used));
    }
    experts[rng.below(experts.size())] = int32_t(sizes.num_experts - 1);
    return experts;
}

// Output and gradients of one form; the weights are the same for all.
struct Outcome {
    std::vector<Tensor> tensors;
    std::vector<std::string> ops;
};

Outcome run(FeedForwardForm form, const Sizes& sizes, const Experts& experts) {
    Rng rng(3);
    MaskTables masks =
        draw_mask_tables(sizes.family, {.num_experts = sizes.num_experts, .rate = sizes.rate},
                         sizes.where, sizes.width, sizes.hidden, Rng(5, 2), Rng(5, 3));
    masks.scale = sizes.scale;
    MaskedFeedForward ffn(Scope{}, {sizes.width, sizes.hidden, sizes.num_experts}, masks, rng,
                          form);
    const Variable x(random_tensor({sizes.rows, sizes.width}, 7), true);
    const Variable y = ffn.forward(x, Routing(experts, sizes.num_experts));
    Outcome outcome{{y.value()}, graph_names(y)};
    backward(y, random_tensor(y.shape(), 8));
    outcome.tensors.push_back(x.grad());
    for (const Variable* parameter : ffn.parameters()) {
        outcome.tensors.push_back(parameter->grad());
    }
    return outcome;
}

TEST_CASE("feed-forward: every form gives what the composed one gives") {
    Rng rng(11);
    std::set<std::string> seen;
    for (int round = 0; round < 40; ++round) {
        const Sizes sizes = random_sizes(rng);
        const Experts experts = round % 10 == 0 ? Experts() : random_experts(sizes, rng);
        CAPTURE(sizes.rows);
        CAPTURE(sizes.width);
        CAPTURE(sizes.hidden);
        CAPTURE(sizes.num_experts);
        CAPTURE(sizes.rate);
        const Outcome composed = run(FeedForwardForm::composed, sizes, experts);
        for (const FeedForwardForm form : {FeedForwardForm::fused, FeedForwardForm::sparse,
                                           FeedForwardForm::blocks, FeedForwardForm::automatic}) {
            const Outcome other = run(form, sizes, experts);
            CHECK(other.ops.size() == 1);
            seen.insert(other.ops.front());
            REQUIRE(other.tensors.size() == composed.tensors.size());
            for (size_t i = 0; i < other.tensors.size(); ++i) {
                CAPTURE(i);
                CHECK(difference(other.tensors[i], composed.tensors[i]) < tolerance);
            }
        }
    }
    CHECK(seen ==
          std::set<std::string>{"feed_forward", "sparse_feed_forward", "block_feed_forward"});
}

TEST_CASE("feed-forward: the form is taken that pays") {
    const auto taken = [](int64_t rows, int64_t K, const std::string& family, double rate,
                          MaskWhere where) {
        const Sizes sizes{rows, 64, 512, K, rate, where, MaskScale::inverse, family};
        Experts experts(static_cast<size_t>(rows));
        for (size_t n = 0; n < experts.size(); ++n) {
            experts[n] = int32_t(int64_t(n) % K);
        }
        return run(FeedForwardForm::automatic, sizes, experts).ops.front();
    };
    const auto both = MaskWhere::both, hidden = MaskWhere::hidden;
    CHECK(taken(4000, 4, "bernoulli", 0.2, both) == "sparse_feed_forward");
    CHECK(taken(4000, 4, "bernoulli", 0.8, both) == "sparse_feed_forward");
    CHECK(taken(400, 4, "bernoulli", 0.8, both) == "sparse_feed_forward");
    CHECK(taken(400, 4, "partition", 0.75, hidden) == "sparse_feed_forward");
    CHECK(taken(1000, 64, "blocks:16", 0.75, hidden) == "block_feed_forward");
    CHECK(taken(1000, 64, "blocks:8", 0.75, hidden) == "sparse_feed_forward");  // too narrow
    // Ten rows an expert are not worth packing its weights.
    CHECK(taken(40, 4, "bernoulli", 0.2, both) == "feed_forward");
    CHECK(taken(4000, 4, "bernoulli", 0.0, both) == "feed_forward");  // nothing to leave out
    const Autocast autocast(Precision::bfloat16);
    CHECK(taken(1000, 64, "blocks:16", 0.75, hidden) == "block_feed_forward");
    CHECK(taken(4000, 4, "blocks:16", 0.75, hidden) == "sparse_feed_forward");
}

TEST_CASE("feed-forward: other masks that are loaded bring other blocks") {
    const int64_t C = 8, F = 64, K = 2;
    Rng rng(3);
    const auto table = [&](int64_t block) {  // the experts keep every other block
        const Tensor masks = Tensor::zeros({K, F});
        for (int64_t i = 0; i < masks.numel(); ++i) {
            masks.data()[i] = real((i / block + i / F) % 2);
        }
        return MaskTables{masks, Tensor::full({K, C}, 1)};
    };
    MaskedFeedForward changed(Scope{}, {C, F, K}, table(32), rng, FeedForwardForm::blocks);
    MaskedFeedForward other(Scope{}, {C, F, K}, table(16), rng, FeedForwardForm::composed);
    changed.load_state_dict(other.state_dict(), "another network");
    const Variable x(random_tensor({5, C}, 7));
    const Routing routing({0, 1, 1, 0, 1}, K);
    CHECK(difference(changed.forward(x, routing).value(), other.forward(x, routing).value()) <
          tolerance);
}

TEST_CASE("routing: rows are sorted by expert, and wrong labels are refused") {
    const Routing routing({2, 0, 2, 0, 3}, 5);
    CHECK(routing.groups.rows == std::vector<int32_t>{1, 3, 0, 2, 4});
    CHECK(routing.groups.begin == std::vector<int64_t>{0, 2, 2, 4, 5, 5});
    CHECK(Routing({}, 3).groups.begin == std::vector<int64_t>{0, 0, 0, 0});
    CHECK(Routing::dense().is_dense());
    CHECK(!routing.is_dense());
    CHECK_THROWS_AS(Routing({0, 3}, 3), Error);
    CHECK_THROWS_AS(Routing({-1}, 3), Error);
}

}  // namespace
}  // namespace smoe
