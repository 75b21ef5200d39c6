// Pictures as SVG: lines, dots, cells and words, and on top of them a plane with axes. Greys and
// colours stand out on white and on black alike, since a page may be either. Lessons draw with it;
// where SMOE_PICTURES names a folder, as for the book, their pictures are written there.
// Read next: 05_spirals.cpp, which draws a plane; smoe/study_figure.cpp.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/file.h"
#include "core/text.h"

namespace smoe {

// Pixels, from the upper left corner.
class Picture {
  public:
    static constexpr const char* grey = "#7a7a7a";
    static constexpr std::array colours = {"#2f7fd1", "#d9622b", "#2e9e5b", "#b65fc2",
                                           "#b8860b", "#d14a6a", "#2aa0a8", "#7a7a7a"};

    void line(double x1, double y1, double x2, double y2, const std::string& colour,
              const std::string& more = "") {
        body_ +=
            fmt::format(R"(<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="{}"{}/>)",
                        x1, y1, x2, y2, colour, more.empty() ? "" : " " + more);
        body_ += "\n";
    }
    void dot(double x, double y, const std::string& colour, double radius = 4) {
        body_ += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="{:g}" fill="{}"/>)", x, y,
                             radius, colour);
        body_ += "\n";
    }
    // `anchor` is the part of the text that lies at x: start, middle or end.
    void text(double x, double y, const std::string& anchor, const std::string& words) {
        body_ += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)", x, y,
                             anchor, escaped(words));
        body_ += "\n";
    }
    // `strength` from 0 (nothing to see) to 1.
    void cell(double x, double y, double width, double height, const std::string& colour,
              double strength) {
        body_ += fmt::format(
            R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}" fill-opacity="{:.2f}"/>)",
            x, y, width, height, colour, strength);
        body_ += "\n";
    }
    void path(const std::vector<std::pair<double, double>>& points, const std::string& colour) {
        std::string steps;
        for (const auto& [x, y] : points) {
            steps += fmt::format("{}{:.1f} {:.1f}", steps.empty() ? "M" : "L", x, y);
        }
        body_ += fmt::format(R"(<path d="{}" stroke="{}" stroke-width="1.6" fill="none"/>)", steps,
                             colour);
        body_ += "\n";
    }
    // A table of numbers from 0 to 1 as cells of `size` pixels, with a name for each row and column.
    void table(double left, double top, double size, const std::vector<std::string>& rows,
               const std::vector<std::string>& columns,
               const std::function<double(size_t row, size_t column)>& number) {
        for (size_t row = 0; row < rows.size(); ++row) {
            const double y = top + size * double(row);
            text(left - 6, y + size / 2 + 4, "end", rows[row]);
            for (size_t column = 0; column < columns.size(); ++column) {
                const double x = left + size * double(column);
                if (row == 0) {
                    text(x + size / 2, top - 6, "middle", columns[column]);
                }
                cell(x + 0.5, y + 0.5, size - 1, size - 1, grey, 0.12);
                cell(x + 0.5, y + 0.5, size - 1, size - 1, colours[0], number(row, column));
            }
        }
    }
    std::string svg(double width, double height) const {
        return fmt::format(
            R"(<svg xmlns="http://www.w3.org/2000/svg" width="{0:.0f}" height="{1:.0f}" viewBox="0 0 {0:.0f} {1:.0f}" role="img">
<style>text {{ font: 12px system-ui, sans-serif; fill: {2}; }}</style>
{3}</svg>
)",
            width, height, grey, body_);
    }
    // For the book, as NAME.svg, where somebody wants pictures.
    void save(const std::string& name, double width, double height) const {
        if (const char* const folder = std::getenv("SMOE_PICTURES")) {
            write_file(fmt::format("{}/{}.svg", folder, name), svg(width, height));
        }
    }

  private:
    std::string body_;
};

// [low, high] onto pixels.
struct Scale {
    double low, high, from, to;
    bool logarithmic = false;

    double operator()(double value) const {
        const auto of = [this](double x) { return logarithmic ? std::log(x) : x; };
        return from + (to - from) * (of(value) - of(low)) / (of(high) - of(low));
    }
    // About `count` round values.
    std::vector<double> ticks(double count) const {
        const double rough = (high - low) / count, power = std::pow(10, std::floor(log10(rough)));
        double step = 10 * power;
        for (const double factor : {5, 2, 1}) {
            step = factor * power >= 0.999 * rough ? factor * power : step;
        }
        std::vector<double> values;
        for (double i = std::ceil(low / step); i * step <= high; ++i) {
            values.push_back(i * step);
        }
        return values;
    }
};

// Curves, dots and a ground of colours in a plane of 480 x 300 pixels, with names on its right.
class Plane {
  public:
    using Range = std::pair<double, double>;
    using Points = std::vector<std::pair<double, double>>;

    Plane(const std::string& title, const std::string& across, Range x, const std::string& up,
          Range y)
        : x_{x.first, x.second, left, left + width}, y_{y.first, y.second, top + height, top} {
        picture_.text(left + width / 2, 14, "middle", title);
        picture_.text(left - 8, 14, "end", up);
        picture_.text(left + width, top + height + 34, "end", across);
        for (const double at : x_.ticks(5)) {
            picture_.line(x_(at), top + height, x_(at), top + height + 4, Picture::grey);
            picture_.text(x_(at), top + height + 18, "middle", tick(at));
        }
        for (const double at : y_.ticks(5)) {
            picture_.line(left - 4, y_(at), left, y_(at), Picture::grey);
            picture_.text(left - 8, y_(at) + 4, "end", tick(at));
        }
        picture_.line(left, top + height, left + width, top + height, Picture::grey);
        picture_.line(left, top, left, top + height, Picture::grey);
    }
    // A colour (its number, and its strength from 0 to 1) for each place. Neighbours in a row that
    // look alike are one cell.
    void ground(const std::function<std::pair<size_t, double>(double x, double y)>& colour) {
        constexpr int columns = 96, rows = 60;
        constexpr double side = width / columns;
        for (int row = 0; row < rows; ++row) {
            std::pair<size_t, double> last;
            int first = 0;
            for (int column = 0; column <= columns; ++column) {
                const double x = x_.low + (column + 0.5) / columns * (x_.high - x_.low);
                const double y = y_.high - (row + 0.5) / rows * (y_.high - y_.low);
                std::pair<size_t, double> here = colour(x, y);
                here.second = std::round(25 * here.second) / 25;
                if (column > 0 && (column == columns || here != last)) {
                    picture_.cell(left + first * side, top + row * height / rows,
                                  (column - first) * side, height / rows,
                                  Picture::colours[last.first], last.second);
                    first = column;
                }
                last = here;
            }
        }
    }
    // What leaves the plane runs along its edge. With a name, it stands beside the plane.
    void curve(const Points& points, size_t colour, const std::string& name = "") {
        Points pixels;
        for (const auto& [x, y] : points) {
            pixels.emplace_back(x_(std::clamp(x, x_.low, x_.high)),
                                y_(std::clamp(y, y_.low, y_.high)));
        }
        picture_.path(pixels, Picture::colours[colour]);
        if (!name.empty()) {
            const double y = top + 8 + 20 * names_++;
            picture_.line(left + width + 12, y, left + width + 30, y, Picture::colours[colour],
                          R"(stroke-width="3")");
            picture_.text(left + width + 36, y + 4, "start", name);
        }
    }
    void dot(double x, double y, size_t colour) {
        picture_.dot(x_(x), y_(y), Picture::colours[colour], 2.5);
    }
    void save(const std::string& name) const {
        picture_.save(name, left + width + (names_ > 0 ? 170 : 16), top + height + 44);
    }

  private:
    static constexpr double left = 56, top = 28, width = 480, height = 300;
    static std::string tick(double value) {
        return fmt::format("{:.4g}", std::abs(value) < 1e-12 ? 0 : value);
    }
    Scale x_, y_;
    Picture picture_;
    int names_ = 0;
};

}  // namespace smoe
