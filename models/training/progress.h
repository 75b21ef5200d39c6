// What a person sees while a model learns: one line of progress, a curve drawn in text, and shares
// of experts as a row of bars. Refuses to measure: it is handed numbers.
// Read next: training_loop.h, which uses all of it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace smoe {

bool is_terminal(int descriptor);

// Whether to colour what goes to `descriptor`: a terminal, and NO_COLOR not set.
bool wants_colour(int descriptor);

// One bar of eight heights for each count, the largest being full.
std::string bars(const std::vector<int64_t>& counts);

// A curve of (x, y) points in `width` x `height` characters with its range of values at the side.
// Points that share a column are averaged.
std::string text_plot(const std::vector<std::pair<double, double>>& points, int width, int height);

// A line that is overwritten on a terminal and printed anew elsewhere, on standard output.
class ProgressLine {
  public:
    ProgressLine();
    void show(const std::string& line);     // the current state
    void message(const std::string& text);  // stays above; may have several lines
    void finish();                          // keeps the current state on a line of its own

  private:
    bool terminal_;
    bool open_ = false;
};

}  // namespace smoe
