// Every fused kernel against its composed form, forward and backward, at the paper's sizes and on a
// batch of text; and masked products against dense ones of the same size. Their results are
// compared in tests/autograd/; here they are only timed.
// Read next: autograd/ops.h; composed.h.
#include <fmt/core.h>

#include <functional>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/storage.h"
#include "models/transformer/single_moe.h"
#include "nn/feed_forward.h"
#include "nn/init.h"
#include "nn/optim/schedule_free_adamw.h"
#include "tests/bench/bench.h"
#include "tests/bench/composed.h"
#include "tests/bench/text.h"

namespace smoe::bench {
namespace {

Variable random_leaf(const Shape& shape, Rng& rng) {
    return Variable(uniform_tensor(shape, 0.1, rng), true);
}

ExpertMasks random_masks(const DecoderSettings& s, double rate) {
    const auto masks = [&](int64_t width, uint64_t layer) {
        Rng rng(1, layer);
        const Tensor mask = draw_masks("bernoulli", {s.num_experts, rate}, width, rng);
        for (real& entry : mask.values()) {
            entry /= real(1 - rate);
        }
        return mask;
    };
    return {masks(s.hidden, 0), masks(s.width, 1)};
}

class Kernels {
  public:
    Kernels(const Config& config, const Batch& batch, const Options& options, Table& table)
        : s_(model_decoder(config.model)),
          optim_(config.optim),
          batch_(batch),
          options_(options),
          table_(table) {}

    void measure() {
        const int64_t N = batch_.size(), C = s_.width, F = s_.hidden;
        const Variable x = random_leaf({N, C}, rng_), branch = random_leaf({N, C}, rng_);
        const Variable qkv = random_leaf({N, 3 * C}, rng_);
        compare(
            "attention", [&] { return attention(qkv, batch_.inputs, s_.heads); },
            [&] { return attention_by_matrices(qkv, batch_.inputs, s_.heads); });

        const Variable weight = random_leaf({C}, rng_), bias = random_leaf({C}, rng_);
        compare(
            "residual_layer_norm, dropout 0.1",
            [&] { return residual_layer_norm(x, branch, weight, bias, 0.1, 1); },
            [&] { return layer_norm(add(x, dropout(branch, 0.1, 1)), weight, bias); });

        const Variable projection = random_leaf({s_.outputs, C}, rng_);
        compare(
            "linear_cross_entropy",
            [&] { return linear_cross_entropy(x, projection, batch_.targets); },
            [&] { return cross_entropy(linear(x, projection), batch_.targets); });

        const FeedForwardWeights w{random_leaf({F, C}, rng_), random_leaf({F}, rng_),
                                   random_leaf({C, F}, rng_), random_leaf({C}, rng_)};
        compare(
            "feed_forward, dense", [&] { return feed_forward(x, w); },
            [&] { return linear(relu(linear(x, w.weight_1, w.bias_1)), w.weight_2, w.bias_2); });
        Experts experts;
        for (int64_t n = 0; n < N; ++n) {
            experts.push_back(int32_t(rng_.below(uint64_t(s_.num_experts))));
        }
        const ExpertGroups groups(experts, s_.num_experts);
        for (const double rate : {0.2, 0.5, 0.8}) {
            const ExpertMasks masks = random_masks(s_, rate);
            const auto composed = [&] {
                const Variable hidden = linear(x, w.weight_1, w.bias_1);
                const Variable kept = relu(mask_rows(hidden, masks.hidden, experts));
                return mask_rows(linear(kept, w.weight_2, w.bias_2), masks.output, experts);
            };
            compare(
                fmt::format("feed_forward, masked {}", rate),
                [&] { return feed_forward(x, w, masks, experts); }, composed);
            compare(
                fmt::format("sparse_feed_forward, masked {}", rate),
                [&] { return sparse_feed_forward(x, w, masks, groups); }, composed);
        }
    }

    void measure_optimizer(int64_t parameters) {
        const Tensor values = uniform_tensor({parameters}, 0.1, rng_);
        const Tensor grads = uniform_tensor({parameters}, 0.1, rng_);
        ScheduleFreeAdamW fused(values, grads, optim_);
        ScheduleFreePasses composed(values, grads, optim_);
        add_rows(
            fmt::format("schedule-free AdamW, {} M parameters", parameters / 1000000),
            [&] { fused.step(); }, [&] { composed.step(); });
    }

  private:
    // Forward, and backward from a random gradient.
    void compare(const std::string& what, const std::function<Variable()>& fused,
                 const std::function<Variable()>& composed) {
        const Tensor gradient = uniform_tensor(fused().shape(), 0.1, rng_);
        add_rows(
            what, [&] { backward(fused(), gradient); }, [&] { backward(composed(), gradient); });
    }

    void add_rows(const std::string& what, const std::function<void()>& fused,
                  const std::function<void()>& composed) {
        const double least = options_.min_seconds();
        const std::vector<Samples> seconds =
            take_turns(options_.repetitions(), {[&] { return seconds_per_call(least, fused); },
                                                [&] { return seconds_per_call(least, composed); }});
        const auto milliseconds = [](double s) { return 1000 * s; };
        table_.add({.what = what,
                    .unit = "ms",
                    .value = map(seconds[0], milliseconds),
                    .peak_bytes = extra_bytes(fused),
                    .against = map(seconds[1], seconds[0], std::divides<>())});
        table_.add({.what = what + ": composed",
                    .unit = "ms",
                    .value = map(seconds[1], milliseconds),
                    .peak_bytes = extra_bytes(composed)});
    }

    // Most bytes in tensors during `body`, beyond what is there before.
    static int64_t extra_bytes(const std::function<void()>& body) {
        const int64_t before = memory_use().live;
        reset_peak();
        body();
        return memory_use().peak - before;
    }

    DecoderSettings s_;
    OptimizerSettings optim_;
    const Batch& batch_;
    const Options& options_;
    Table& table_;
    Rng rng_{1};
};

// Networks of which each expert keeps 512 of 2048 hidden neurons, in the form that the layer
// chooses, against a dense network of 512. All take turns, so that any two can be compared.
void measure_mask_families(int64_t width, const Options& options, Table& table) {
    constexpr int64_t hidden = 2048, kept = 512;
    const int64_t N = options.max_tokens() * 3 / 8;  // a batch of `tiny`
    Rng rng(1);
    const Variable x = random_leaf({N, width}, rng);
    const Tensor gradient = uniform_tensor({N, width}, 0.1, rng);
    std::vector<std::unique_ptr<FeedForward>> networks;
    std::vector<std::string> names;
    std::vector<std::function<double()>> measurements;
    const auto add = [&](const std::string& what, const MaskTables& masks, int64_t num_experts,
                         const Routing& routing) {
        networks.push_back(make_feed_forward(
            "masked", Scope{}, {width, masks.hidden.size(1), num_experts}, masks, rng));
        const FeedForward& network = *networks.back();
        names.push_back(
            fmt::format("{}: {}", what, graph_names(network.forward(x, routing)).front()));
        measurements.push_back([&network, &options, &x, &gradient, routing] {
            return seconds_per_call(options.min_seconds(),
                                    [&] { backward(network.forward(x, routing), gradient); });
        });
    };
    add("dense network of 512", {Tensor::full({1, kept}, 1), Tensor::full({1, width}, 1)}, 1,
        Routing::dense());
    const std::vector<std::pair<std::string, int64_t>> families = {
        {"partition", 4},   {"shared:0.5", 4},  {"exact", 4},  {"blocks:32", 8},
        {"blocks:32", 128}, {"blocks:64", 128}, {"exact", 128}};
    for (const auto& [family, K] : families) {
        Experts experts;
        for (int64_t n = 0; n < N; ++n) {
            experts.push_back(int32_t(rng.below(uint64_t(K))));
        }
        add(fmt::format("{}, {} experts", family, K),
            draw_mask_tables(family, {K, 0.75}, MaskWhere::hidden, width, hidden, Rng(1, 2),
                             Rng(1, 3)),
            K, Routing(experts, K));
    }
    const std::vector<Samples> seconds = take_turns(options.repetitions(), measurements);
    table.section(
        fmt::format("512 of 2048 hidden neurons at width {}, forward and backward, {} "
                    "tokens; against the dense network",
                    width, N));
    for (size_t i = 0; i < names.size(); ++i) {
        table.add({.what = names[i],
                   .unit = "ms",
                   .value = map(seconds[i], [](double s) { return 1000 * s; }),
                   .against = i == 0 ? Samples() : map(seconds[0], seconds[i], std::divides<>())});
    }
}

}  // namespace

void measure_kernels(const Options& options, Table& table) {
    Config config = preset("paper");
    const std::vector<Story> stories = load_stories(options.data);
    const Tokenizer tokenizer = make_tokenizer(config, stories);
    config.model.vocab_size = tokenizer.vocab_size();
    const Batch batch = make_batch(config, stories, tokenizer, options.max_tokens());
    table.section(fmt::format("Kernels, forward and backward, at the paper's sizes, {} tokens",
                              batch.size()));
    Kernels kernels(config, batch, options, table);
    kernels.measure();
    kernels.measure_optimizer(SingleMoe(config.model, config.seed).model.parameter_count());
    for (const int64_t width : {128, 512}) {
        measure_mask_families(width, options, table);
    }
    release_cached_memory();
}

}  // namespace smoe::bench
