// Colours tell experts apart, so no two may look alike, and all must be readable on a light and on
// a dark background. Distances are taken in CIELAB, a formula that did not choose the colours.
// Read next: progress_test.cpp.
#include "models/training/expert_colours.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <set>

#include "nn/routing.h"

namespace smoe {
namespace {

using Triple = std::array<double, 3>;

// Light of red, green and blue, from 0 to 1, of "#rrggbb".
Triple light_of(const std::string& colour) {
    Triple light{};
    for (size_t i = 0; i < 3; ++i) {
        const double x = std::stoi(colour.substr(1 + 2 * i, 2), nullptr, 16) / 255.0;
        light[i] = x <= 0.04045 ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4);
    }
    return light;
}

double luminance(const Triple& light) {
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
}

// CIE 1976, white point D65.
Triple cielab(const std::string& colour) {
    const Triple c = light_of(colour);
    const auto f = [](double t) { return t > 0.008856 ? std::cbrt(t) : 7.787 * t + 16.0 / 116; };
    const double x = f((0.4124 * c[0] + 0.3576 * c[1] + 0.1805 * c[2]) / 0.9505);
    const double y = f(luminance(c));
    const double z = f((0.0193 * c[0] + 0.1192 * c[1] + 0.9505 * c[2]) / 1.089);
    return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

double least_distance(const std::vector<std::string>& colours) {
    double least = INFINITY;
    for (size_t a = 0; a < colours.size(); ++a) {
        for (size_t b = 0; b < a; ++b) {
            const Triple p = cielab(colours[a]), q = cielab(colours[b]);
            least = std::min(least, std::hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]));
        }
    }
    return least;
}

}  // namespace

TEST_CASE("expert colours: a page has as many as it needs") {
    const std::vector<std::string> all = expert_colours(255);
    REQUIRE(all.size() == 255);
    CHECK(std::set<std::string>(all.begin(), all.end()).size() == 255);
    for (const std::string& colour : all) {
        INFO(colour);
        const double light = luminance(light_of(colour));
        CHECK(1.05 / (light + 0.05) >= 2.8);  // against white; twelve were chosen by eye
        CHECK((light + 0.05) / 0.05 >= 2.8);  // against black
    }
    // About 2 is the least that a trained eye sees side by side.
    CHECK(least_distance(expert_colours(12)) > 12);
    CHECK(least_distance(expert_colours(32)) > 10);
    CHECK(least_distance(all) > 4);
    // An expert has its colour however many there are.
    const std::vector<std::string> few = expert_colours(40);
    CHECK(std::equal(few.begin(), few.end(), all.begin()));
    CHECK(expert_colours(0).empty());
    CHECK(expert_colours(300).size() == 300);
}

TEST_CASE("expert colours: on a terminal no two experts look alike") {
    CHECK(in_expert_colour("a", no_expert) == "a");
    std::set<std::string> looks;
    for (int64_t expert = 0; expert < 255; ++expert) {
        const std::string text = in_expert_colour("a", expert);
        CHECK(text.starts_with("\x1b[38;5;"));
        CHECK(text.ends_with("ma\x1b[0m"));
        looks.insert(text);
    }
    CHECK(looks.size() == 255);
    CHECK(in_expert_colour("a", 3) == "\x1b[38;5;161ma\x1b[0m");
    CHECK(in_expert_colour("a", 3 + 32) == "\x1b[38;5;161;4ma\x1b[0m");
    CHECK(in_expert_colour("a", 3 + 7 * 32) == "\x1b[38;5;161;4;1;7ma\x1b[0m");
}

TEST_CASE("expert colours: a terminal and a page agree") {
    // The palette of 256 colours: a cube of six levels.
    constexpr std::array<int, 6> levels = {0x00, 0x5f, 0x87, 0xaf, 0xd7, 0xff};
    const std::vector<std::string> page = expert_colours(terminal_colours);
    for (size_t expert = 0; expert < page.size(); ++expert) {
        const int number = std::stoi(in_expert_colour("", int64_t(expert)).substr(7)) - 16;
        for (const auto& [at, level] :
             {std::pair(1, number / 36), std::pair(3, number / 6 % 6), std::pair(5, number % 6)}) {
            CHECK(std::stoi(page[expert].substr(size_t(at), 2), nullptr, 16) ==
                  levels[size_t(level)]);
        }
    }
}

}  // namespace smoe
