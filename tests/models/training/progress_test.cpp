// What people see while a model learns, bars and curves, with numbers at the edge. Nothing here may
// throw or hang, whatever the numbers are: training would end with it.
// Read next: training_loop_test.cpp.
#include "models/training/progress.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "tests/terminal.h"

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

// A row of counts with idle, busy and very busy experts among them.
std::vector<int64_t> counts_of(int64_t experts) {
    std::vector<int64_t> counts;
    for (int64_t k = 0; k < experts; ++k) {
        counts.push_back(k % 3 == 0 ? 0 : k * k);
    }
    counts[size_t(experts - 1)] = 100000;
    return counts;
}

Progress progress_of(int64_t experts, int64_t step) {
    return {.step = step,
            .peak_bytes = step << 20,
            .loss = 1234.5 / double(step),
            .seconds_left = double(step) * 7,
            .tokens_per_second = 1e7 / double(step),
            .expert_tokens = counts_of(experts),
            .router_learns = step % 2 == 0};
}

struct OnTerminal {
    explicit OnTerminal(int width, bool late = true)
        : columns(width), terminal(size_t(width), late) {}
    void resize(int width) {
        columns = width;
        terminal.resize(size_t(width));
    }

    int columns;
    Terminal terminal;
    ProgressLine line{{.write = [this](const std::string& text) { terminal.write(text); },
                       .width = [this] { return columns - 1; },
                       .overwrites = true}};
};

}  // namespace

TEST_CASE("progress: bars") {
    CHECK(bars({}) == "");
    CHECK(bars({0, 0}) == "▁▁");
    CHECK(bars({7}) == "█");
    CHECK(bars({0, 1, 2, 3, 4, 5, 6, 7}) == "▁▂▃▄▅▆▇█");
    CHECK(bars({1, 1000}) == "▁█");
    CHECK(bars({0, 0, 7, 7}, 4) == "▁▁██");
    CHECK(bars({0, 0, 7, 7, 4, 3}, 3) == "▁█▄");
    CHECK(bars({1, 2, 3}, 0) == "");
    for (int64_t width = 1; width < 300; ++width) {
        CHECK(columns_of(bars(counts_of(255), width)) == std::min<int64_t>(width, 255));
    }
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

TEST_CASE("progress: many experts are summed up") {
    CHECK(expert_summary({3, 0, 1}, 100) == "experts █▁▃");
    CHECK(expert_summary({3, 0, 1}, 11) == "experts █▁▃");
    CHECK(expert_summary({3, 0, 1}, 10) == "experts 3");
    CHECK(expert_summary({3, 0, 1}, 8) == "");
    std::vector<int64_t> counts(255, 1);
    counts[7] = 50;
    counts[8] = counts[254] = 0;
    CHECK(expert_summary(counts, any_width) == "experts 255, busiest 16.6 %, idle 2");
    CHECK(expert_summary(counts, 30) == "experts 255, busiest 16.6 %");
    CHECK(expert_summary(counts, 20) == "experts 255");
    CHECK(expert_summary({}, 100) == "");
    CHECK(expert_summary({0, 0}, 100) == "");
}

TEST_CASE("progress: a line gives up what matters least, from the right") {
    const Progress progress{.step = 250,
                            .peak_bytes = 650240,
                            .loss = 2.12345,
                            .seconds_left = 83,
                            .tokens_per_second = 16600,
                            .expert_tokens = {4, 4, 7, 1},
                            .router_learns = true};
    const std::string whole =
        "step   250  loss 2.1235  left 1:23  16,600 tok/s  experts ▅▅█▂ learning  peak 635.0 KiB";
    CHECK(progress_line(progress, any_width) == whole);
    for (int width = 1; width < 120; ++width) {
        CAPTURE(width);
        const std::string line = progress_line(progress, width);
        CHECK(columns_of(line) <= width);
        // As far as it goes it is the whole one, but for experts that are summed up.
        if (width >= 10) {
            CHECK((whole.starts_with(line) || line.ends_with("  experts 4")));
        }
    }
    CHECK(progress_line(progress, 40) == "step   250  loss 2.1235  left 1:23");
    CHECK(progress_line(progress, 78) ==
          "step   250  loss 2.1235  left 1:23  16,600 tok/s  experts ▅▅█▂ learning");
    Progress dense = progress;
    dense.expert_tokens = {};
    dense.router_learns = false;
    CHECK(progress_line(dense, 78) ==
          "step   250  loss 2.1235  left 1:23  16,600 tok/s  peak 635.0 KiB");
    dense.processes = 4;
    dense.waiting = 0.123;
    CHECK(progress_line(dense, any_width) ==
          "step   250  loss 2.1235  left 1:23  16,600 tok/s  4 processes, 12 % waiting  peak 635.0 "
          "KiB");
    CHECK(progress_line(dense, 78) ==
          "step   250  loss 2.1235  left 1:23  16,600 tok/s  4 processes, 12 % waiting");
    dense.processes = 1;
    dense.tokens_per_second = dense.seconds_left = INFINITY;
    CHECK(progress_line(dense, 78) == "step   250  loss 2.1235  left ?  ? tok/s  peak 635.0 KiB");
}

TEST_CASE("progress: the screen holds what it should, at every width, for any number of experts") {
    const std::string sample =
        "    | Once upon a time, a fox and a hen met a dog that had seen neither "
        "of them before.\n    | \n    | The end of them all was a "
        "Donaudampfschifffahrtsgesellschaftskapitaensmuetzenabzeichen.";
    for (int width = 40; width <= 200; ++width) {
        std::vector<std::string> message;
        for (const std::string& line : lines_of(sample)) {
            for (const std::string& row : lines_of(wrapped(line, width - 1, "    | "))) {
                REQUIRE(columns_of(row) < width);
                message.push_back(row.substr(0, row.find_last_not_of(' ') + 1));
            }
        }
        for (int64_t experts = 2; experts <= 255; experts += experts < 14 ? 1 : 7) {
            OnTerminal on(width, (width + experts) % 2 == 0);
            std::vector<std::string> expected;
            for (const int64_t step : {12, 1, 123456}) {  // a long line, a short one, a long one
                on.line.show(progress_of(experts, step));
                expected.push_back(progress_line(progress_of(experts, step), width - 3));
                CHECK(on.terminal.rows() == expected);
                expected.pop_back();
            }
            on.line.message(sample, "    | ");
            expected = message;
            expected.emplace_back();
            CHECK(on.terminal.rows() == expected);
            on.line.message("and another");
            on.line.show(progress_of(experts, 4));
            on.line.show(progress_of(experts, 13));
            on.line.finish();
            expected.back() = "and another";
            expected.push_back(progress_line(progress_of(experts, 13), width - 3));
            expected.emplace_back();
            CHECK(on.terminal.rows() == expected);
        }
    }
}

TEST_CASE("progress: a window that is resized keeps whole lines") {
    for (const bool late : {true, false}) {
        OnTerminal on(120, late);
        on.line.show(progress_of(10, 1000));
        const std::string wide = on.terminal.rows()[0];
        CHECK(columns_of(wide) > 80);
        on.resize(150);
        on.line.show(progress_of(10, 1000));
        CHECK(on.terminal.rows() == std::vector<std::string>{wide});
        // The old line, which the terminal has broken in two, stays; the next one fits again.
        on.resize(60);
        on.line.show(progress_of(10, 1001));
        const std::vector<std::string> rows = on.terminal.rows();
        REQUIRE(rows.size() == 3);
        CHECK(rows[0].starts_with("step  1000"));
        CHECK(rows[2] == progress_line(progress_of(10, 1001), 57));
        on.line.show(progress_of(10, 1002));
        CHECK(on.terminal.rows().size() == 3);
        on.resize(41);
        on.line.message("over");
        CHECK(on.terminal.rows().back() == "");
        CHECK(on.terminal.rows()[on.terminal.rows().size() - 2] == "over");
    }
}

TEST_CASE("progress: where nothing can be overwritten, each line stands on its own") {
    std::string written;
    ProgressLine line({.write = [&](const std::string& text) { written += text; },
                       .width = [] { return any_width; }});
    line.show(progress_of(255, 12));
    line.message("a message");
    line.show(progress_of(4, 13));
    line.finish();
    CHECK(written == progress_line(progress_of(255, 12), any_width) + "\na message\n" +
                         progress_line(progress_of(4, 13), any_width) + "\n");
    CHECK(written.find_first_of("\r\x1b") == written.npos);
    CHECK(written.find("experts 255, busiest") != written.npos);
    CHECK(written.find("peak 13.0 MiB") != written.npos);
}

TEST_CASE("progress: curves fit, axes included") {
    for (int columns = 40; columns <= 200; ++columns) {
        for (const std::string& line : lines_of(
                 text_plot({{5, 6.91}, {2000, 0.4}, {123456, 1e6}}, columns - plot_margin, 6))) {
            CHECK(columns_of(line) <= columns);
        }
    }
}

}  // namespace smoe
