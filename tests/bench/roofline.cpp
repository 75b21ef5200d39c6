// Products at the model's shapes, and a streaming read: the most the machine could do, measured in
// the same run as the rest.
// Read next: work.cpp, how much there is to do.
#include "tests/bench/roofline.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>

#include "core/blas.h"
#include "core/threads.h"
#include "models/training/config.h"

namespace smoe::bench {
namespace {

constexpr const char* product_names[] = {"forward", "dx", "dW"};

}  // namespace

Roofline::Roofline(const DecoderSettings& settings, int64_t tokens)
    : shapes_(linear_shapes(settings)), tokens_(tokens) {
    int64_t in = 0, out = 0, weights = 0;
    for (const LinearShape& shape : shapes_) {
        in = std::max(in, shape.in);
        out = std::max(out, shape.out);
        weights = std::max(weights, shape.in * shape.out);
    }
    x_ = Tensor::full({tokens, in}, real(0.5));
    y_ = Tensor::full({tokens, out}, real(0.5));
    w_ = Tensor::full({weights}, real(0.5));
    out_ = Tensor::full({std::max(weights, tokens * std::max(in, out))}, real(0));
}

double Roofline::seconds(double least, const LinearShape& shape, int product,
                         Precision precision) const {
    const int64_t N = tokens_, I = shape.in, O = shape.out;
    return seconds_per_call(least, [&] {
        if (product == 0) {  // y (N, O) = x (N, I) W^T
            gemm(Trans::no, Trans::yes, N, O, I, x_.data(), I, w_.data(), I, 0, out_.data(), O,
                 precision);
        } else if (product == 1) {  // dx (N, I) = dy (N, O) W
            gemm(Trans::no, Trans::no, N, I, O, y_.data(), O, w_.data(), I, 0, out_.data(), I,
                 precision);
        } else {  // dW (O, I) = dy^T x
            gemm(Trans::yes, Trans::no, O, I, N, y_.data(), O, x_.data(), I, 0, out_.data(), I,
                 precision);
        }
    });
}

double Roofline::rate(double least, int product, Precision precision) const {
    double work = 0, time = 0;
    for (const LinearShape& shape : shapes_) {
        work += double(tokens_ * shape.in * shape.out * shape.times);
        time += double(shape.times) *
                seconds(least / double(shapes_.size()), shape, product, precision);
    }
    return work / time;
}

double Roofline::rate(double least, Precision precision) const {
    double time = 0;  // of one multiply-add of each of the three products, which have equally many
    for (int product = 0; product < 3; ++product) {
        time += 1 / rate(least / 3, product, precision);
    }
    return 3 / time;
}

std::pair<std::string, double> Roofline::best(double least) const {
    std::pair<std::string, double> found;
    for (const LinearShape& shape : shapes_) {
        for (int product = 0; product < 3; ++product) {
            const double here = double(tokens_ * shape.in * shape.out) /
                                seconds(least / double(3 * shapes_.size()), shape, product);
            if (here > found.second) {
                found = {fmt::format("{} {}", shape.name, product_names[product]), here};
            }
        }
    }
    return found;
}

double read_bandwidth(double least) {
    constexpr int64_t bytes = int64_t(256) << 20, chunk = int64_t(1) << 18;  // reals in a chunk
    static const Tensor buffer = Tensor::full({bytes / int64_t(sizeof(real))}, real(0.5));
    std::atomic<real> kept = 0;  // so that no compiler drops the reads
    const double seconds = seconds_per_call(least, [&] {
        parallel_for(buffer.numel(), chunk, [&](int64_t begin, int64_t end) {
            // Many sums at once: one alone would wait for each addition.
            constexpr int64_t lanes = 128;
            real sums[lanes] = {};
            for (int64_t i = begin; i < end; i += lanes) {
#pragma omp simd
                for (int64_t j = 0; j < lanes; ++j) {
                    sums[j] += buffer.data()[i + j];
                }
            }
            kept = sums[0] + sums[lanes - 1];
        });
    });
    return double(bytes) / seconds;
}

void measure_roofline(const Options& options, Table& table) {
    table.section("Roofline: gemm() at the shapes of a training step, and memory");
    for (const std::string& name : preset_names()) {
        Config config = preset(name);
        config.model.vocab_size = config.entries + 1;
        const int64_t tokens =
            std::min(config.batch * (config.model.context - 1), options.max_tokens());
        const Roofline roofline(model_decoder(config.model), tokens);
        std::string best;
        const double least = options.min_seconds();
        const std::vector<Samples> rates = take_turns(
            options.repetitions(),
            {[&] { return roofline.rate(least); }, [&] { return roofline.rate(least, 0); },
             [&] { return roofline.rate(least, 1); }, [&] { return roofline.rate(least, 2); },
             [&] {
                 const auto [shape, rate] = roofline.best(least);
                 best = shape;
                 return rate;
             }});
        const std::vector<Samples> rounded = take_turns(
            options.repetitions(), {[&] { return roofline.rate(least); },
                                    [&] { return roofline.rate(least, Precision::bfloat16); }});
        const std::string whats[] = {"all three products", "forward y = x W^T", "dx = dy W",
                                     "dW = dy^T x", "best shape, " + best};
        for (size_t i = 0; i < rates.size(); ++i) {
            table.add({.what = fmt::format("{}, {} tokens: {}", name, tokens, whats[i]),
                       .unit = "GMAC/s",
                       .value = map(rates[i], [](double rate) { return rate / 1e9; }),
                       .of_limit = map(rates[i], rates.back(), std::divides<>())});
        }
        table.add({.what = fmt::format("{}, {} tokens: all three products, bfloat16", name, tokens),
                   .unit = "GMAC/s",
                   .value = map(rounded[1], [](double rate) { return rate / 1e9; }),
                   .against = map(rounded[1], rounded[0], std::divides<>())});
    }
    const std::vector<Samples> bandwidth =
        take_turns(options.repetitions(), {[&] { return read_bandwidth(options.min_seconds()); }});
    table.add({.what = "reading 256 MiB in order",
               .unit = "GB/s",
               .value = map(bandwidth[0], [](double rate) { return rate / 1e9; })});
}

}  // namespace smoe::bench
