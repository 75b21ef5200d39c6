// Generation: tokens per second, against the time that reading the weights takes. A token needs
// every weight of model and router once, except for those of neurons that its expert masks, and the
// keys and values of the positions before it. None of these is used twice, so memory is the limit.
// Weights that fit into the processor's cache beat this "limit": it is shown for the paper's size
// only.
// Read next: models/generation/generator.h.
#include <fmt/core.h>

#include <functional>

#include "core/check.h"
#include "models/generation/generator.h"
#include "models/training/config.h"
#include "models/transformer/routers/learned.h"
#include "tests/bench/bench.h"
#include "tests/bench/roofline.h"

namespace smoe::bench {
namespace {

// Bytes that one token must read, at the middle of the context, if its expert masks a share
// `masked` of the hidden neurons and of the outputs. Of the table of embeddings it is one row,
// which is not counted, nor are the masks.
double bytes_per_token(const Decoder& network, double masked, Precision precision) {
    const DecoderSettings& s = network.settings();
    const int64_t weights = network.parameter_count() - s.vocab * s.width;
    const int64_t cache = s.context / 2 * 2 * s.width * s.layers;
    const double kept = 1 - masked;
    const double left_out = double(s.layers * s.width * s.hidden) * (2 - kept - kept * kept);
    const double bytes = precision == Precision::bfloat16 ? 2 : double(sizeof(real));
    return (double(weights) - left_out) * bytes + double(cache) * double(sizeof(real));
}

// Stories of random weights end when they happen to draw the end of text; another seed then.
class Writer {
  public:
    Writer(const SingleMoe& moe, const Config& config, int64_t samples, Precision weights)
        : generator_(moe, int32_t(config.model.vocab_size - 1), samples, weights) {
        while (write() < samples * generator_.longest_prompt() * 3 / 4) {
            check(++seed_ < 1000, "generation: random weights always end their stories early");
        }
    }

    // Tokens per second of writing texts as long as the context.
    double rate(double least) {
        int64_t tokens = 0;
        return 1 / seconds_per_call(least, [&] { tokens = write(); }) * double(tokens);
    }

  private:
    int64_t write() {
        int64_t tokens = 0;
        generator_.run({}, {.kind = "multinomial"}, seed_, generator_.longest_prompt(),
                       [&](const Generator::Token&) { ++tokens; });
        return tokens;
    }

    Generator generator_;
    uint64_t seed_ = 1;
};

void measure(const std::string& name, const std::string& routing, int64_t samples,
             const Options& options, Table& table) {
    Config config = preset(name);
    config.model.vocab_size = config.entries + 1;
    config.model.router.kind = routing;
    SingleMoe moe(config.model, config.seed);
    moe.eval();
    const auto bytes = [&](Precision precision) {
        const double masked = routing == "none" ? 0 : config.model.experts.mask_rate;
        const auto* learned = dynamic_cast<const LearnedRouter*>(moe.router.get());
        return bytes_per_token(moe.model, masked, precision) +
               (learned == nullptr ? 0
                                   : bytes_per_token(learned->network(), 0, Precision::float32));
    };
    Writer writer(moe, config, samples, Precision::float32);
    Writer rounded(moe, config, samples, Precision::bfloat16);
    const double least = options.min_seconds();
    const std::vector<Samples> measured =
        take_turns(options.repetitions(),
                   {[&] { return read_bandwidth(least); }, [&] { return writer.rate(least); },
                    [&] { return rounded.rate(least); }});
    for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
        const bool is_rounded = precision == Precision::bfloat16;
        Row row{.what = fmt::format("{}, {}, {} at a time{}", name,
                                    routing == "none" ? "dense" : "router and masks",
                                    samples == 1 ? "one story" : fmt::format("{} stories", samples),
                                    is_rounded ? ", bfloat16" : ""),
                .unit = "tokens/s",
                .value = measured[is_rounded ? 2 : 1]};
        if (name == "paper" && samples == 1) {
            row.what += fmt::format(", {:.0f} MB a token", bytes(precision) / 1e6);
            row.of_limit = map(row.value, measured[0], [&](double rate, double bandwidth) {
                return rate * bytes(precision) / bandwidth;
            });
        }
        if (is_rounded) {
            row.against = map(measured[2], measured[1], std::divides<>());
        }
        table.add(row);
    }
}

}  // namespace

void measure_generation(const Options& options, Table& table) {
    table.section("Generation from the start token to the end of the context");
    for (const std::string& name : preset_names()) {
        for (const char* routing : {"none", "router"}) {
            measure(name, routing, 1, options, table);
        }
        measure(name, "router", 16, options, table);
    }
}

}  // namespace smoe::bench
