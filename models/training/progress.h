// What people see while a model learns: one line of progress, a curve drawn in text, and the shares
// of experts as a row of bars, all made to fit a width. It measures nothing: the caller hands in
// the numbers.
// Read next: training_loop.h, which uses all of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/terminal.h"

namespace smoe {

// One bar of eight heights for each count; the largest count has a full bar. If there are more than
// `width` counts, neighbours share a bar that shows their mean.
std::string bars(const std::vector<int64_t>& counts, int64_t width = any_width);

// A curve of (x, y) points in `width` x `height` characters, with its range of values in
// `plot_margin` columns at the side. Points that share a column are averaged.
constexpr int plot_margin = 10;
std::string text_plot(const std::vector<std::pair<double, double>>& points, int width, int height);

// The shares of experts in at most `width` columns: a bar for each ("experts ▁▅█"), or, if there
// are more than 64 or the bars do not fit, "experts 255, busiest 3.1 %, idle 12" or the beginning
// of that. It is "" if not even that fits, or if nothing was counted.
std::string expert_summary(const std::vector<int64_t>& counts, int64_t width);

// What is known when a report is due.
struct Progress {
    int64_t step = 0, peak_bytes = 0;
    double loss = 0, seconds_left = 0, tokens_per_second = 0;  // of all processes
    int processes = 1;
    double waiting = 0;  // share of the time in which this process waited for others
    std::vector<int64_t> expert_tokens = {};  // (K) empty when dense
    bool router_learns = false;
};

// One line of at most `width` columns. What matters least stands on the right and is dropped first
// if the line is too narrow.
std::string progress_line(const Progress& progress, int width);

// Where lines go.
struct LineOutput {
    std::function<void(const std::string&)> write;
    std::function<int()> width;  // columns that a line may fill, as from line_width
    bool overwrites = false;     // obeys a return to the beginning of the line, and ESC [K
};
LineOutput standard_output();

// A line that is overwritten on a terminal that can do so, and printed anew elsewhere.
class ProgressLine {
  public:
    explicit ProgressLine(LineOutput output = standard_output());
    void show(const Progress& progress);  // the current state
    // The same for other work: `line` may need all but two columns, and is cut to that.
    void show(const std::string& line);
    bool overwrites() const { return output_.overwrites; }
    // Prints lines of text that stay above it, each wrapped to the width. Continued lines begin
    // with `indent`.
    void message(const std::string& text, const std::string& indent = "    ");
    void finish();  // keeps the current state on a line of its own

  private:
    int line_room() const;  // columns that it may fill

    LineOutput output_;
    int64_t shown_ = 0;  // columns of the line that will be overwritten
};

}  // namespace smoe
