// Bars, curves and one line that is rewritten again and again. Numbers that cannot be drawn are
// left out; they must not be an error in the middle of training.
// Read next: training_loop.cpp.
#include "models/training/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <numeric>
#include <optional>

#include "core/format.h"

namespace smoe {

std::string bars(const std::vector<int64_t>& counts, int64_t width) {
    constexpr std::array<const char*, 8> heights = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const int64_t K = int64_t(counts.size()), groups = std::min(K, width);
    std::vector<double> means;
    for (int64_t g = 0; g < groups; ++g) {
        const int64_t begin = K * g / groups, end = K * (g + 1) / groups;
        const int64_t sum =
            std::accumulate(counts.begin() + begin, counts.begin() + end, int64_t(0));
        means.push_back(double(sum) / double(end - begin));
    }
    const double largest = means.empty() ? 0 : *std::max_element(means.begin(), means.end());
    std::string text;
    for (const double mean : means) {
        text += heights[largest > 0 ? size_t(mean * 7 / largest) : 0];
    }
    return text;
}

std::string expert_summary(const std::vector<int64_t>& counts, int64_t width) {
    constexpr size_t most_bars = 64;
    const int64_t total = std::accumulate(counts.begin(), counts.end(), int64_t(0));
    if (total == 0) {
        return "";
    }
    const int64_t busiest = *std::max_element(counts.begin(), counts.end());
    const std::string number = fmt::format("experts {}", counts.size());
    const std::string share =
        fmt::format("{}, busiest {:.1f} %", number, 100.0 * double(busiest) / double(total));
    const int64_t idle = std::count(counts.begin(), counts.end(), 0);
    std::vector<std::string> forms = {fmt::format("{}, idle {}", share, idle), share, number};
    if (counts.size() <= most_bars) {
        forms.insert(forms.begin(), "experts " + bars(counts));
    }
    const auto fitting = std::find_if(forms.begin(), forms.end(), [&](const std::string& form) {
        return columns_of(form) <= width;
    });
    return fitting == forms.end() ? "" : *fitting;
}

std::string text_plot(const std::vector<std::pair<double, double>>& all, int width, int height) {
    // Sums and differences of what is drawn must stay finite.
    const auto can_be_drawn = [](const std::pair<double, double>& point) {
        return std::abs(point.first) <= 1e100 && std::abs(point.second) <= 1e100;
    };
    std::vector<std::pair<double, double>> points;
    std::copy_if(all.begin(), all.end(), std::back_inserter(points), can_be_drawn);
    if (points.empty()) {
        return "";
    }
    const auto by_x = [](const auto& a, const auto& b) { return a.first < b.first; };
    const double left = std::min_element(points.begin(), points.end(), by_x)->first;
    const double right = std::max_element(points.begin(), points.end(), by_x)->first;
    // Points are averaged into columns, and columns become stars in rows.
    std::vector<double> sums(size_t(width), 0);
    std::vector<int> counts(size_t(width), 0);
    for (const auto& [x, y] : points) {
        const double place = right > left ? (x - left) / (right - left) : 0;
        const size_t column = size_t(std::lround(place * (width - 1)));
        sums[column] += y;
        ++counts[column];
    }
    std::vector<std::optional<double>> columns(static_cast<size_t>(width));
    double low = INFINITY, high = -INFINITY;
    for (size_t column = 0; column < columns.size(); ++column) {
        if (counts[column] > 0) {
            columns[column] = sums[column] / counts[column];
            low = std::min(low, *columns[column]);
            high = std::max(high, *columns[column]);
        }
    }
    std::vector<std::string> rows(size_t(height), std::string(size_t(width), ' '));
    for (size_t column = 0; column < columns.size(); ++column) {
        if (columns[column].has_value()) {
            const double place = high > low ? (*columns[column] - low) / (high - low) : 0;
            rows[size_t(height - 1 - std::lround(place * (height - 1)))][column] = '*';
        }
    }
    std::string text;
    for (int row = 0; row < height; ++row) {
        const double value = high - (high - low) * row / std::max(1, height - 1);
        const bool labelled = row == 0 || row == height - 1 || row == height / 2;
        std::string label(8, ' ');
        if (labelled) {
            label = value < 1e4 ? fmt::format("{:8.3f}", value) : fmt::format("{:8.2e}", value);
        }
        text += label + " |" + rows[size_t(row)] + "\n";
    }
    const std::string first = fmt::format("{:g}", left), last = fmt::format("{:g}", right);
    text += "         +" + std::string(size_t(width), '-') + "\n          " + first;
    const int gap = width - int(first.size()) - int(last.size());
    return text + std::string(size_t(std::max(1, gap)), ' ') + last + "\n";
}

std::string progress_line(const Progress& progress, int width) {
    std::string line = fmt::format("step {:>5}", progress.step);
    // Leaves out what does not fit behind the line, and returns false.
    const auto add = [&](const std::string& field) {
        const bool fits = columns_of(line) + columns_of(field) <= width;
        line += fits ? field : "";
        return fits;
    };
    const double speed = progress.tokens_per_second;
    bool all = add(fmt::format("  loss {:.4f}", progress.loss)) &&
               add(fmt::format("  left {}", format_duration(progress.seconds_left))) &&
               add(fmt::format("  {} tok/s", speed < 1e15 ? format_count(int64_t(speed)) : "?"));
    if (all && !progress.expert_tokens.empty()) {
        const std::string summary =
            expert_summary(progress.expert_tokens, width - columns_of(line) - 2);
        all = !summary.empty() && add("  " + summary) &&
              (!progress.router_learns || add(" learning"));
    }
    if (all && progress.processes > 1) {
        all = add(fmt::format("  {} processes, {:.0f} % waiting", progress.processes,
                              100 * progress.waiting));
    }
    if (all) {
        add("  peak " + format_bytes(progress.peak_bytes));
    }
    return shortened(line, width);
}

LineOutput standard_output() {
    // If nobody reads any more, training still has to save: main() complains at the end.
    const auto write = [](const std::string& text) {
        std::fputs(text.c_str(), stdout);
        std::fflush(stdout);
    };
    return {.write = write,
            .width = [] { return line_width(STDOUT_FILENO); },
            .overwrites = obeys_escapes(STDOUT_FILENO)};
}

namespace {

constexpr const char* over = "\r\x1b[K";  // to the beginning of the line, and all of it erased

}  // namespace

ProgressLine::ProgressLine(LineOutput output) : output_(std::move(output)) {}

// Leaves room for the ^C that terminals show when somebody interrupts.
int ProgressLine::line_room() const {
    return std::max(1, output_.width() - 2);
}

void ProgressLine::show(const Progress& progress) {
    show(progress_line(progress, line_room()));
}

void ProgressLine::show(const std::string& text) {
    const int width = output_.width();
    const std::string line = shortened(text, line_room());
    if (!output_.overwrites) {
        output_.write(line + "\n");
        return;
    }
    // A window that has become narrower shows the old line as two, one of which cannot be reached.
    output_.write((shown_ > width ? "\n" : shown_ > 0 ? over : "") + line);
    shown_ = columns_of(line);
}

void ProgressLine::message(const std::string& text, const std::string& indent) {
    const int width = output_.width();
    std::string lines = shown_ > width ? "\n" : shown_ > 0 ? over : "";
    for (size_t begin = 0; begin <= text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        lines += wrapped(std::string_view(text).substr(begin, end - begin), width, indent) + "\n";
        begin = end + 1;
    }
    output_.write(lines);
    shown_ = 0;
}

void ProgressLine::finish() {
    if (shown_ > 0) {
        output_.write("\n");
    }
    shown_ = 0;
}

}  // namespace smoe
