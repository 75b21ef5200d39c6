// Bars, curves and one line that is written again and again. Numbers that cannot be drawn are left
// out, never an error in the middle of training.
// Read next: training_loop.cpp.
#include "models/training/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <optional>

namespace smoe {

bool is_terminal(int descriptor) {
    return ::isatty(descriptor) == 1;
}

bool wants_colour(int descriptor) {
    return is_terminal(descriptor) && std::getenv("NO_COLOR") == nullptr;
}

std::string bars(const std::vector<int64_t>& counts) {
    constexpr std::array<const char*, 8> heights = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const int64_t most = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
    std::string text;
    for (const int64_t count : counts) {
        text += heights[most > 0 ? size_t(count * 7 / most) : 0];
    }
    return text;
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
    // From points to columns, averaging, and from columns to stars in rows.
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

namespace {

// Where nobody reads any more, training has yet to save: main() complains at the end.
void put(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

}  // namespace

ProgressLine::ProgressLine() : terminal_(is_terminal(STDOUT_FILENO)) {}

void ProgressLine::show(const std::string& line) {
    put(fmt::format("{}{}", terminal_ ? "\r\x1b[K" : "", line + (terminal_ ? "" : "\n")));
    open_ = terminal_;
}

void ProgressLine::message(const std::string& text) {
    put(fmt::format("{}{}\n", open_ ? "\r\x1b[K" : "", text));
    open_ = false;
}

void ProgressLine::finish() {
    if (open_) {
        put("\n");
    }
    open_ = false;
}

}  // namespace smoe
