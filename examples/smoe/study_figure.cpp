// Two pictures made of lines, dots and words.
// Read next: study_page.h, the same with curves and domains.
#include "examples/smoe/study_figure.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "core/check.h"
#include "core/terminal.h"
#include "core/text.h"
#include "examples/picture.h"
#include "examples/smoe/flags.h"
#include "examples/smoe/report_data.h"
#include "examples/smoe/study_comparison.h"

namespace smoe {
namespace {

constexpr const char* grey = Picture::grey;
constexpr auto& colours = Picture::colours;
constexpr double letter = 6.8;  // a wide one's width
constexpr double title_height = 44;

double text_width(const std::string& text) {
    return letter * double(columns_of(text));
}

std::string figure_of(const Picture& picture, double width, double height) {
    const std::string_view drawing = "<svg ";  // which the picture begins with, too
    return std::string(figure_start.substr(0, figure_start.size() - drawing.size())) +
           picture.svg(width, height);
}

struct Mark {
    std::string name;
    Summary loss;
    double difference = 0;  // NaN: none
    double x = 0;
};
struct Marks {
    std::vector<Mark> all;
    const Mark* reference = nullptr;
    std::string title, subtitle;

    // Of everything that is drawn, with some space.
    std::pair<double, double> range() const {
        double low = HUGE_VAL, high = -HUGE_VAL;
        for (const Mark& mark : all) {
            const double reach = mark.loss.count > 1 ? mark.loss.deviation : 0;
            low = std::min(low, mark.loss.mean - reach);
            high = std::max(high, mark.loss.mean + reach);
        }
        const double space = high > low ? 0.06 * (high - low) : 0.01;
        return {low - space, high + space};
    }
};

// The arms with results, in the order of the plan.
std::vector<Mark> marks_of(const Study& study, const Comparison& comparison) {
    std::vector<Mark> marks;
    for (const ArmResult& arm : comparison.arms) {
        if (arm.loss.count > 0) {
            marks.push_back({study.plan().arms[arm.arm].name, arm.loss, arm.difference.mean});
        }
    }
    return marks;
}

Marks marks_in(const Study& study, const std::string& domain) {
    const std::vector<ResultRow> rows = result_rows(study);
    require_domain(rows, domain);
    const Comparison comparison = compare_arms(study, rows, Spent::steps, domain);
    Marks marks;
    marks.all = marks_of(study, comparison);
    check(!marks.all.empty(),
          "there is nothing to draw yet: no runs in full have finished that were evaluated at one "
          "step");
    marks.title = "Held-out loss" + (domain == "all" ? "" : " of " + domain) + ", nats per token";
    marks.subtitle = fmt::format("after {}; mean ± standard deviation over seeds",
                                 spent_text(comparison.amount, comparison.spent));
    return marks;
}

void find_reference(const Study& study, Marks& marks) {
    const auto found = std::ranges::find(marks.all, study.plan().compare_to, &Mark::name);
    marks.reference = found == marks.all.end() ? nullptr : &*found;
}

void draw_title(Picture& picture, const Marks& marks) {
    picture.text(8, 16, "start", marks.title);
    picture.text(8, 32, "start", marks.subtitle);
}

std::string tick_text(double value) {
    return fmt::format("{:.6g}", std::abs(value) < 1e-12 ? 0 : value);
}

std::string setting_group(const std::string& flag) {
    std::string group;
    std::vector<std::string> known;
    const Config config;
    visit_settings(config, [&](const Setting& setting, const auto&) {
        if (const std::string name = flag_of(setting); !name.empty()) {
            known.push_back(name.substr(2));
            group = known.back() == flag ? setting.group : group;
        }
    });
    const std::string nearest = nearest_name(flag, known);
    check(!group.empty(), "--figure-x: `smoe train` has no flag '{}'{}", flag,
          nearest.empty() ? "" : ", did you mean '" + nearest + "'?");
    return group;
}

// 64 of "64" and of "overlap:64".
std::optional<double> number_in(const std::string& text) {
    const size_t begin = text.rfind(':') == text.npos ? 0 : text.rfind(':') + 1;
    double value = 0;
    const auto end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + begin, end, value);
    return read.ec == std::errc() && read.ptr == end && std::isfinite(value) ? std::optional(value)
                                                                             : std::nullopt;
}

// "exact_gate" of "exact8_gate" and 8; "shared_gate" of "shared25_gate" and 0.25.
std::string name_without(const std::string& name, double x) {
    std::string rest = without_number(name, fmt::format("{:g}", x));
    if (x > 0 && x < 1) {
        rest = without_number(rest, fmt::format("{:g}", 100 * x));
    }
    const size_t begin = rest.find_first_not_of("-_.+"), end = rest.find_last_not_of("-_.+");
    return begin == rest.npos ? name : rest.substr(begin, end - begin + 1);
}

// By the name of the line, each with rising x.
using Lines = std::map<std::string, std::vector<Mark>>;

Lines lines_of(const Study& study, const Marks& marks, const std::string& flag) {
    const bool of_experts = setting_group(flag) == "experts";
    Lines lines;
    for (const StudyArm& arm : study.plan().arms) {
        const auto run = std::ranges::find(study.runs(), arm.name, [&](const StudyRun& one) {
            return study.plan().arms[one.arm].name;
        });
        const auto mark = std::ranges::find(marks.all, arm.name, &Mark::name);
        const bool has_none = of_experts && run->config.model.router.kind == "none";
        if (mark == marks.all.end() || !arm.flags.contains(flag) || has_none) {
            continue;
        }
        if (const std::optional<double> x = number_in(arm.flags.at(flag)[0])) {
            auto& line = lines[name_without(arm.name, *x)];
            line.push_back(*mark);
            line.back().x = *x;
        }
    }
    for (auto& [name, line] : lines) {
        std::ranges::sort(line, {}, &Mark::x);
    }
    return lines;
}

// The values of x, below the plot, where they do not lie on one another.
void draw_values(Picture& picture, const std::set<double>& values, const Scale& x, double y) {
    double free_from = -HUGE_VAL;
    for (const double value : values) {
        const double half = text_width(tick_text(value)) / 2;
        if (x(value) - half >= free_from) {
            picture.text(x(value), y, "middle", tick_text(value));
            free_from = x(value) + half + letter;
        }
    }
}

}  // namespace

std::string arms_figure(const Study& study, const std::string& domain) {
    Marks marks = marks_in(study, domain);
    std::ranges::stable_sort(marks.all, {}, [](const Mark& mark) { return mark.loss.mean; });
    find_reference(study, marks);
    constexpr double row = 22, plot = 360;
    double left = 0;
    for (const Mark& mark : marks.all) {
        left = std::max(left, 20 + text_width(mark.name));
    }
    const auto [low, high] = marks.range();
    const Scale x{low, high, left, left + plot};
    const double bottom = title_height + row * double(marks.all.size());
    Picture picture;
    draw_title(picture, marks);
    picture.line(left, bottom, left + plot, bottom, grey);
    for (const double value : x.ticks(5)) {
        picture.line(x(value), bottom, x(value), bottom + 4, grey);
        picture.text(x(value), bottom + 18, "middle", tick_text(value));
    }
    if (marks.reference != nullptr) {
        const double at = x(marks.reference->loss.mean);
        picture.line(at, title_height, at, bottom, grey, R"(stroke-dasharray="4 3")");
    }
    double y = title_height + row / 2;
    for (const Mark& mark : marks.all) {
        const Summary& loss = mark.loss;
        picture.text(left - 12, y + 4, "end", mark.name);
        if (loss.count > 1) {
            picture.line(x(loss.mean - loss.deviation), y, x(loss.mean + loss.deviation), y,
                         colours[0], R"(stroke-width="2")");
        }
        picture.dot(x(loss.mean), y, &mark == marks.reference ? grey : colours[0]);
        const bool differs = &mark != marks.reference && std::isfinite(mark.difference);
        picture.text(left + plot + 12, y + 4, "start",
                     fmt::format("{:.4f}", loss.mean) +
                         (differs ? fmt::format(" ({:+.4f})", mark.difference) : ""));
        y += row;
    }
    return figure_of(picture,
                     std::max(left + plot + 12 + 17 * letter, 16 + text_width(marks.subtitle)),
                     bottom + 26);
}

std::string setting_figure(const Study& study, const std::string& domain, const std::string& flag) {
    setting_group(flag);  // throws for a flag that there is not
    Marks marks = marks_in(study, domain);
    find_reference(study, marks);
    const Lines lines = lines_of(study, marks, flag);
    check(!lines.empty(), "--figure-x: the plan sets no number for '{}' in an arm with results",
          flag);
    std::set<double> values;
    double names = marks.reference != nullptr ? text_width(marks.reference->name) : 0;
    std::vector<Mark> drawn =
        marks.reference != nullptr ? std::vector{*marks.reference} : std::vector<Mark>{};
    for (const auto& [name, line] : lines) {
        names = std::max(names, text_width(name));
        for (const Mark& mark : line) {
            values.insert(mark.x);
            drawn.push_back(mark);
        }
    }
    const auto [low, high] = Marks{drawn, nullptr, "", ""}.range();
    constexpr double left = 64, plot = 400, top = title_height, bottom = top + 260;
    const double first = *values.begin(), last = *values.rbegin();
    const bool logarithmic = first > 0 && last >= 16 * first;
    const double one = first == last ? 0.5 : 0;
    const Scale x{first - one, last + one, left + 16, left + plot - 16, logarithmic};
    const Scale y{low, high, bottom, top};
    Picture picture;
    draw_title(picture, marks);
    picture.line(left, bottom, left + plot, bottom, grey);
    picture.line(left, top, left, bottom, grey);
    for (const double value : y.ticks(5)) {
        picture.line(left - 4, y(value), left, y(value), grey);
        picture.text(left - 8, y(value) + 4, "end", tick_text(value));
    }
    draw_values(picture, values, x, bottom + 18);
    picture.text(left + plot / 2, bottom + 38, "middle", flag);
    const double legend = left + plot + 16;
    double legend_y = top + 8;
    if (marks.reference != nullptr) {
        const std::string dashed = R"(stroke-dasharray="4 3")";
        const double at = y(marks.reference->loss.mean);
        picture.line(left, at, left + plot, at, grey, dashed);
        picture.line(legend, legend_y, legend + 16, legend_y, grey, dashed);
        picture.text(legend + 22, legend_y + 4, "start", marks.reference->name);
        legend_y += 18;
    }
    size_t number = 0;
    for (const auto& [name, line] : lines) {
        const std::string colour = colours[number++ % colours.size()];
        for (size_t i = 0; i < line.size(); ++i) {
            const Summary& loss = line[i].loss;
            const double at = x(line[i].x);
            if (i > 0) {
                picture.line(x(line[i - 1].x), y(line[i - 1].loss.mean), at, y(loss.mean), colour);
            }
            if (loss.count > 1) {
                picture.line(at, y(loss.mean - loss.deviation), at, y(loss.mean + loss.deviation),
                             colour, R"(stroke-width="2")");
            }
            picture.dot(at, y(loss.mean), colour);
        }
        picture.dot(legend + 8, legend_y, colour);
        picture.text(legend + 22, legend_y + 4, "start", name);
        legend_y += 18;
    }
    return figure_of(picture, std::max(legend + 30 + names, 16 + text_width(marks.subtitle)),
                     std::max(bottom + 48, legend_y));
}

}  // namespace smoe
