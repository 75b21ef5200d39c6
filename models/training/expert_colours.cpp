// Colours that lie as far apart as they can: each new one is the allowed colour whose nearest
// neighbour among the earlier ones is farthest. Distances are those of OKLab, where equal distances
// look about equally large. A colour is allowed if it can be read on white and on black: it has a
// contrast of at least 3 with both, as the accessibility guidelines WCAG 2.1 ask.
// Read next: tests/models/training/expert_colours_test.cpp, which measures them by another formula.
#include "models/training/expert_colours.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "nn/routing.h"

namespace smoe {
namespace {

using Triple = std::array<double, 3>;
using Rgb = std::array<int, 3>;

// Numbers in the palette of 256 colours. Twelve were chosen by eye, the others as described above.
constexpr std::array<int, terminal_colours> palette = {
    33, 166, 35, 161, 97,  136, 31,  127, 64,  203, 61, 172, 201, 93,  169, 135,
    59, 138, 94, 104, 199, 63,  131, 26,  196, 164, 29, 101, 160, 129, 197, 130};

// Colours 16 to 231 are a cube of six levels.
Rgb of_palette(int number) {
    constexpr std::array<int, 6> levels = {0, 95, 135, 175, 215, 255};
    const size_t place = size_t(number - 16);
    return {levels[place / 36], levels[place / 6 % 6], levels[place % 6]};
}

// From a screen's 0 to 255 to 0 to 1, in proportion to the light.
Triple light_of(const Rgb& rgb) {
    Triple light{};
    std::transform(rgb.begin(), rgb.end(), light.begin(), [](int level) {
        const double x = level / 255.0;
        return x <= 0.04045 ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4);
    });
    return light;
}

bool readable(const Rgb& rgb) {
    const Triple light = light_of(rgb);
    const double luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
    constexpr double least = 3, glare = 0.05;
    return (1 + glare) / (luminance + glare) >= least && (luminance + glare) / glare >= least;
}

// Ottosson, "A perceptual color space for image processing", 2020.
Triple oklab(const Rgb& rgb) {
    const auto [r, g, b] = light_of(rgb);
    const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
            1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
            0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

struct Candidate {
    Rgb rgb{};
    Triple lab{};
    double nearest = INFINITY;  // squared distance to what is taken

    void take(const Triple& other) {
        double sum = 0;
        for (size_t i = 0; i < 3; ++i) {
            sum += (lab[i] - other[i]) * (lab[i] - other[i]);
        }
        nearest = std::min(nearest, sum);
    }
};

// Sixteen levels of each colour.
std::vector<Candidate> candidates() {
    std::vector<Candidate> all;
    for (int i = 0; i < 16 * 16 * 16; ++i) {
        const Rgb rgb = {17 * (i / 256), 17 * (i / 16 % 16), 17 * (i % 16)};
        if (readable(rgb)) {
            all.push_back({rgb, oklab(rgb)});
        }
    }
    return all;
}

}  // namespace

std::string in_expert_colour(const std::string& text, int64_t expert) {
    if (expert == no_expert) {
        return text;
    }
    const int64_t round = expert / terminal_colours;
    return fmt::format("\x1b[38;5;{}{}{}{}m{}\x1b[0m", palette[size_t(expert % terminal_colours)],
                       round & 1 ? ";4" : "", round & 2 ? ";1" : "", round & 4 ? ";7" : "", text);
}

std::vector<std::string> expert_colours(int64_t count) {
    constexpr int64_t most = 255;
    std::vector<Candidate> free = candidates();
    std::vector<std::string> colours;
    for (int64_t k = 0; k < std::min(count, most); ++k) {
        const Rgb rgb = k < terminal_colours
                            ? of_palette(palette[size_t(k)])
                            : std::max_element(free.begin(), free.end(),
                                               [](const Candidate& a, const Candidate& b) {
                                                   return a.nearest < b.nearest;
                                               })
                                  ->rgb;
        const Triple lab = oklab(rgb);
        for (Candidate& candidate : free) {
            candidate.take(lab);
        }
        colours.push_back(fmt::format("#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]));
    }
    for (int64_t k = most; k < count; ++k) {
        colours.push_back(colours[size_t(k - most)]);
    }
    return colours;
}

}  // namespace smoe
