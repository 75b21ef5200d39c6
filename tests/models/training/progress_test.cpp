// What people see while a model learns, at its edges: bars and curves. Nothing here may throw or
// hang, whatever the numbers: training would end with it.
// Read next: training_loop_test.cpp.
#include "models/training/progress.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace smoe {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

int64_t stars(const std::string& text) {
    return std::count(text.begin(), text.end(), '*');
}

}  // namespace

TEST_CASE("progress: bars") {
    CHECK(bars({}) == "");
    CHECK(bars({0, 0}) == "▁▁");
    CHECK(bars({7}) == "█");
    CHECK(bars({0, 1, 2, 3, 4, 5, 6, 7}) == "▁▂▃▄▅▆▇█");
    CHECK(bars({1, 1000}) == "▁█");
}

TEST_CASE("progress: a curve has its points where they belong") {
    const std::vector<std::string> falling = lines_of(text_plot({{0, 3}, {1, 2}, {2, 1}}, 5, 3));
    REQUIRE(falling.size() == 5);
    CHECK(falling[0] == "   3.000 |*    ");
    CHECK(falling[1] == "   2.000 |  *  ");
    CHECK(falling[2] == "   1.000 |    *");
    CHECK(falling[3] == "         +-----");
    CHECK(falling[4] == "          0   2");
    // The order of the points does not matter; those of one column are averaged.
    CHECK(text_plot({{2, 1}, {0, 3}, {1, 2}}, 5, 3) == text_plot({{0, 3}, {1, 2}, {2, 1}}, 5, 3));
    CHECK(text_plot({{0, 3}, {1, 1}, {1, 3}, {2, 1}}, 5, 3) ==
          text_plot({{0, 3}, {1, 2}, {2, 1}}, 5, 3));
}

TEST_CASE("progress: curves at the edge") {
    CHECK(text_plot({}, 64, 12) == "");
    for (const auto& points :
         std::vector<std::vector<std::pair<double, double>>>{{{5, 2}},
                                                             {{1, 2}, {2, 2}, {3, 2}},
                                                             {{1, -7}, {1, 7}},
                                                             {{-1e99, 1e99}, {1e99, -1e99}}}) {
        for (const int width : {1, 2, 64}) {
            for (const int height : {1, 2, 12}) {
                const std::string plot = text_plot(points, width, height);
                CHECK(lines_of(plot).size() == size_t(height) + 2);
                CHECK(stars(plot) >= 1);
                CHECK(stars(plot) <= std::min<int64_t>(width, int64_t(points.size())));
            }
        }
    }
    // A constant curve lies on one row.
    const std::vector<std::string> flat = lines_of(text_plot({{1, 2}, {2, 2}, {3, 2}}, 9, 4));
    CHECK(stars(flat[3]) == 3);
    // What no picture can show is left out.
    const std::pair<double, double> point{1, 2};
    for (const double none : {double(NAN), double(INFINITY), -double(INFINITY), 1e308}) {
        CHECK(text_plot({point, {none, 2}, {2, none}}, 20, 5) == text_plot({point}, 20, 5));
        CHECK(text_plot({{none, none}}, 20, 5) == "");
    }
    // Large values do not push the curve aside.
    for (const std::string& line : lines_of(text_plot({{0, 1e30}, {1, 0}}, 10, 3))) {
        CHECK(line.size() <= 20);
    }
}

}  // namespace smoe
