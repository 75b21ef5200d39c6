// Training steps of the presets: dense, with masks in composed form, and computing only what an
// expert keeps. Every repetition measures the roofline anew, next to the steps that it judges.
// Experts are drawn evenly, since experts without tokens would flatter the sparse form.
//
// Read next: training_step.h, what a step is; work.h, what counts.
#include <fmt/core.h>

#include <functional>

#include "core/storage.h"
#include "models/transformer/routers/router.h"
#include "models/transformer/single_moe.h"
#include "tests/bench/bench.h"
#include "tests/bench/roofline.h"
#include "tests/bench/text.h"
#include "tests/bench/training_step.h"

namespace smoe::bench {
namespace {

// Those to measure. Only masks that are drawn neuron by neuron can have any.
std::vector<double> mask_rates(const Config& config) {
    return config.model.experts.mask_family == "bernoulli"
               ? std::vector<double>{0.2, 0.5, 0.8}
               : std::vector<double>{config.model.experts.mask_rate};
}

// One preset on one batch of text.
class TrainingRows {
  public:
    TrainingRows(const std::string& name, const Config& config, const Batch& batch,
                 const Options& options, Table& table)
        : name_(name), config_(config), batch_(batch), options_(options), table_(table) {}

    void dense() {
        TrainingStep step(model_decoder(config_.model), config_.optim, batch_, {});
        TrainingStep rounded(model_decoder(config_.model), config_.optim, batch_, {},
                             Precision::bfloat16);
        const Roofline roofline(model_decoder(config_.model), batch_.size());
        const double least = options_.min_seconds();
        const std::vector<Samples> samples =
            take_turns(options_.repetitions(),
                       {[&] { return roofline.rate(least); }, [&] { return seconds(step); },
                        [&] { return seconds(rounded); }});
        add("dense", step, multiply_adds(model_decoder(config_.model), batch_, Pass::training),
            samples[0], samples[1], {});
        add("dense, bfloat16, against float32", rounded, 0, {}, samples[2],
            map(samples[1], samples[2], std::divides<>()));
    }

    void masked(double rate) {
        Config config = config_;
        config.model.experts.mask_rate = rate;
        DecoderSettings settings = model_decoder(config.model);
        Rng chance = stream(1, Stream::experts);
        Experts experts;
        for (int64_t n = 0; n < batch_.size(); ++n) {
            experts.push_back(int32_t(chance.below(uint64_t(config.model.experts.count))));
        }
        settings.feed_forward = "masked-composed";
        TrainingStep composed(settings, config.optim, batch_, experts);
        settings.feed_forward = "masked-sparse";
        TrainingStep sparse(settings, config.optim, batch_, experts);
        TrainingStep rounded(settings, config.optim, batch_, experts, Precision::bfloat16);
        settings.recompute = true;
        TrainingStep recompute(settings, config.optim, batch_, experts);
        const auto router = router_kinds().find("router").make(config.model, 1);
        router->eval();
        const Roofline roofline(model_decoder(config.model), batch_.size());
        const double least = options_.min_seconds();

        const std::vector<Samples> samples = take_turns(
            options_.repetitions(),
            {[&] { return roofline.rate(least); }, [&] { return seconds(composed); },
             [&] { return seconds(sparse); }, [&] { return seconds(recompute); },
             [&] {
                 return seconds_per_call(least, [&] { router->choose(batch_.inputs, chance); });
             },
             [&] { return seconds(rounded); }});
        const Samples &limit = samples[0], &route = samples[4];
        const double all = multiply_adds(settings, batch_, Pass::training);
        const double kept = kept_multiply_adds(sparse.model(), batch_, experts, Pass::training);
        add(fmt::format("masked {}, composed", rate), composed, all, limit, samples[1], {});
        add(fmt::format("masked {}, sparse", rate), sparse, kept, limit, samples[2],
            map(samples[1], samples[2], std::divides<>()));
        add(fmt::format("masked {}, sparse, --recompute", rate), recompute, kept, limit, samples[3],
            map(samples[1], samples[3], std::divides<>()));

        add(fmt::format("masked {}, sparse, bfloat16, against float32", rate), rounded, 0, {},
            samples[5], map(samples[2], samples[5], std::divides<>()));

        const Samples composed_routed = map(samples[1], route, std::plus<>());
        const Samples sparse_routed = map(samples[2], route, std::plus<>());
        table_.add({.what = fmt::format("{} masked {}, sparse, with the frozen router's pass",
                                        name_, rate),
                    .unit = "tokens/s",
                    .value = map(sparse_routed, [&](double s) { return tokens() / s; }),
                    .against = map(composed_routed, sparse_routed, std::divides<>())});
        if (rate == mask_rates(config_).front()) {
            const double work = multiply_adds(router_decoder(config.model), batch_, Pass::forward);
            table_.add({.what = fmt::format("{} frozen router, forward", name_),
                        .unit = "tokens/s",
                        .value = map(route, [&](double s) { return tokens() / s; }),
                        .of_limit = map(route, limit,
                                        [&](double s, double most) { return work / s / most; })});
        }
    }

  private:
    double tokens() const { return double(batch_.size()); }

    double seconds(TrainingStep& step) const {
        return seconds_per_call(options_.min_seconds(), [&] { step.run(); });
    }

    // Without a limit, it is not said what share of it was reached.
    void add(const std::string& what, TrainingStep& step, double work, const Samples& limit,
             const Samples& seconds, const Samples& against) {
        table_.add({.what = fmt::format("{} {}", name_, what),
                    .unit = "tokens/s",
                    .value = map(seconds, [&](double s) { return tokens() / s; }),
                    .of_limit = limit.empty()
                                    ? Samples()
                                    : map(seconds, limit,
                                          [&](double s, double most) { return work / s / most; }),
                    .peak_bytes = step.peak_bytes(),
                    .against = against});
    }

    std::string name_;
    Config config_;
    const Batch& batch_;
    const Options& options_;
    Table& table_;
};

}  // namespace

void measure_training(const Options& options, Table& table) {
    const std::vector<Story> stories = load_stories(options.data);
    for (const std::string& name : preset_names()) {
        Config config = preset(name);
        const Tokenizer tokenizer = make_tokenizer(config, stories);
        config.model.vocab_size = tokenizer.vocab_size();
        const Batch batch = make_batch(config, stories, tokenizer, options.max_tokens());
        table.section(fmt::format("Training step, {}: {} stories, {} tokens, nothing padded", name,
                                  batch.stories.size(), batch.size()));
        TrainingRows rows(name, config, batch, options, table);
        rows.dense();
        for (const double rate : mask_rates(config)) {
            rows.masked(rate);
        }
        release_cached_memory();
    }
}

}  // namespace smoe::bench
