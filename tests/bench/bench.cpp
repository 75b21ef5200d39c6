// Turns, medians, the table. Rivals are timed in turn, so that a slow moment of the machine affects
// all of them.
// Read next: roofline.cpp.
#include "tests/bench/bench.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "core/blas.h"
#include "core/threads.h"

namespace smoe::bench {

double median(Samples samples) {
    std::sort(samples.begin(), samples.end());
    const size_t n = samples.size();
    return n == 0 ? 0 : (samples[(n - 1) / 2] + samples[n / 2]) / 2;
}

Samples map(const Samples& a, const std::function<double(double)>& f) {
    Samples result;
    std::transform(a.begin(), a.end(), std::back_inserter(result), f);
    return result;
}

Samples map(const Samples& a, const Samples& b, const std::function<double(double, double)>& f) {
    Samples result;
    std::transform(a.begin(), a.end(), b.begin(), std::back_inserter(result), f);
    return result;
}

double seconds_per_call(double least, const std::function<void()>& body) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    for (int calls = 1;; ++calls) {
        body();
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        if (seconds >= least) {
            return seconds / calls;
        }
    }
}

std::vector<Samples> take_turns(int repetitions,
                                const std::vector<std::function<double()>>& measurements) {
    for (const auto& measurement : measurements) {
        measurement();
    }
    std::vector<Samples> samples(measurements.size());
    for (int repetition = 0; repetition < repetitions; ++repetition) {
        for (size_t i = 0; i < measurements.size(); ++i) {
            samples[i].push_back(measurements[i]());
        }
    }
    return samples;
}

namespace {

// Three digits that mean something: 0.0123, 1.23, 12.3, 1230.
std::string digits(double value) {
    const double size = std::abs(value);
    return size >= 100  ? fmt::format("{:.0f}", value)
           : size >= 10 ? fmt::format("{:.1f}", value)
           : size >= 1  ? fmt::format("{:.2f}", value)
                        : fmt::format("{:.3f}", value);
}

template <class Format>
std::string with_range(const Samples& samples, const Format& format) {
    if (samples.empty()) {
        return "";
    }
    const auto [least, most] = std::minmax_element(samples.begin(), samples.end());
    return fmt::format("{} ({} to {})", format(median(samples)), format(*least), format(*most));
}

}  // namespace

void Table::section(const std::string& title) {
    if (markdown_.empty()) {
        line({"what", "unit", "median (range)", "of the limit", "peak MiB", "against composed"});
        line({"---", "---", "---", "---", "---", "---"});
    }
    line({"**" + title + "**", "", "", "", "", ""});
}

void Table::add(const Row& row) {
    line({row.what, row.unit, with_range(row.value, digits),
          with_range(row.of_limit, [](double v) { return fmt::format("{:.0f} %", 100 * v); }),
          row.peak_bytes == 0 ? "" : fmt::format("{:.0f}", double(row.peak_bytes) / (1 << 20)),
          with_range(row.against, [](double v) { return fmt::format("{:.2f}x", v); })});
}

void Table::line(const std::vector<std::string>& cells) {
    constexpr size_t widths[] = {62, 8, 24, 22, 8, 22};
    std::string text = "|";
    for (size_t i = 0; i < cells.size(); ++i) {
        text += fmt::format(" {:<{}} |", cells[i], widths[i]);
    }
    text += "\n";
    fmt::print("{}", text);
    std::fflush(stdout);
    markdown_ += text;
}

std::string machine() {
    std::string model = "unknown processor";
    std::ifstream info("/proc/cpuinfo");
    for (std::string text; std::getline(info, text);) {
        if (text.starts_with("model name")) {
            model = text.substr(text.find(':') + 2);
            break;
        }
    }
#ifdef __clang__
    const std::string compiler = fmt::format("clang {}.{}", __clang_major__, __clang_minor__);
#else
    const std::string compiler = fmt::format("g++ {}.{}", __GNUC__, __GNUC_MINOR__);
#endif
    return fmt::format("{}, {} threads, {}, {}", model, threads(), blas_name(), compiler);
}

}  // namespace smoe::bench
