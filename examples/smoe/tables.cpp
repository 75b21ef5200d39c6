// Tables are made of columns. Each is as wide as its widest cell, and the code checks that they fit
// together before it writes anything.
// Read next: tests/examples/tables_test.cpp.
#include "examples/smoe/tables.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/format.h"
#include "core/terminal.h"
#include "core/text.h"
#include "models/training/expert_colours.h"
#include "models/training/progress.h"
#include "nn/routing.h"

namespace smoe {
namespace {

struct Column {
    std::string head;
    std::vector<std::string> cells;
    int64_t min_width = 0;
    int64_t gap = 1;             // blanks before it
    int64_t expert = no_expert;  // the one whose colour the head has

    int64_t width() const {
        int64_t widest = std::max(min_width, columns_of(head));
        for (const std::string& cell : cells) {
            widest = std::max(widest, columns_of(cell));
        }
        return widest;
    }
};

int64_t width_of(const std::vector<Column>& columns) {
    int64_t width = 0;
    for (const Column& column : columns) {
        width += column.gap + column.width();
    }
    return width;
}

// Do they fit, once long names in the first column are shortened to 16 characters?
bool fit(const std::vector<Column>& columns, int width) {
    return width_of(columns) - std::max<int64_t>(0, columns[0].width() - 16) <= width;
}

// The first column is aligned to the left and takes what the others leave of `width`.
std::string table(std::vector<Column> columns, int width, bool colour) {
    const int64_t others = width_of({columns.begin() + 1, columns.end()});
    const int64_t left = std::max<int64_t>(1, std::min(columns[0].width(), width - others));
    for (std::string& cell : columns[0].cells) {
        cell = shortened(cell, int(left));
    }
    std::string text;
    for (size_t row = 0; row <= columns[0].cells.size(); ++row) {
        for (size_t i = 0; i < columns.size(); ++i) {
            const Column& column = columns[i];
            const std::string& cell = row == 0 ? column.head : column.cells[row - 1];
            const std::string blanks(size_t((i == 0 ? left : column.width()) - columns_of(cell)),
                                     ' ');
            const std::string field =
                std::string(size_t(column.gap), ' ') + (i == 0 ? cell + blanks : blanks + cell);
            text += colour && row == 0 ? in_expert_colour(field, column.expert) : field;
        }
        text += '\n';
    }
    return text;
}

// The domains and, if there are several, all of them together.
std::vector<EvaluationPart> parts_of(const Evaluation& result) {
    std::vector<EvaluationPart> parts;
    if (result.domains.size() > 1) {
        parts = result.domains;
    }
    parts.push_back(result.total);
    for (EvaluationPart& part : parts) {  // a domain without measurements has no counts
        part.expert_tokens.resize(result.total.expert_tokens.size());
    }
    return parts;
}

Column column_of(const std::vector<EvaluationPart>& parts, const std::string& head,
                 int64_t min_width, const auto& cell_of) {
    Column column;
    column.head = head;
    column.min_width = min_width;
    for (const EvaluationPart& part : parts) {
        column.cells.push_back(cell_of(part));
    }
    return column;
}

Column domain_column(const std::vector<EvaluationPart>& parts, const std::string& head,
                     int64_t min_width) {
    Column column = column_of(parts, head, min_width,
                              [](const EvaluationPart& part) { return to_one_line(part.domain); });
    column.gap = 0;
    return column;
}

std::string per_cent(int64_t count, int64_t total) {
    return fmt::format("{:.1f}", 100.0 * double(count) / double(std::max<int64_t>(1, total)));
}

Column bars_column(const std::vector<EvaluationPart>& parts, int64_t most) {
    Column column = column_of(parts, "", 0, [most](const EvaluationPart& part) {
        return bars(part.expert_tokens, most);
    });
    column.gap = 2;
    return column;
}

// A column for each expert, all of the same width.
std::vector<Column> share_columns(const std::vector<EvaluationPart>& parts, int64_t min_domain,
                                  int64_t min_share) {
    std::vector<Column> columns = {domain_column(parts, "", min_domain)};
    int64_t widest = min_share;
    for (size_t k = 0; k < parts[0].expert_tokens.size(); ++k) {
        columns.push_back(
            column_of(parts, fmt::format("{}", k), 0, [k](const EvaluationPart& part) {
                return per_cent(part.expert_tokens[k], part.tokens);
            }));
        columns.back().expert = int64_t(k);
        widest = std::max(widest, columns.back().width());
    }
    for (size_t k = 1; k < columns.size(); ++k) {
        columns[k].min_width = widest;
    }
    return columns;
}

// exp of the entropy of the shares.
double effective_number(const std::vector<int64_t>& counts) {
    const double total = double(std::accumulate(counts.begin(), counts.end(), int64_t(0)));
    double entropy = 0;
    for (const int64_t count : counts) {
        entropy -= count > 0 ? double(count) / total * std::log(double(count) / total) : 0;
    }
    return std::exp(entropy);
}

std::string summary_table(const std::vector<EvaluationPart>& parts, int width) {
    std::vector<Column> columns = {domain_column(parts, "", 0)};
    columns.push_back(column_of(parts, "busiest", 0, [](const EvaluationPart& part) {
        const auto& counts = part.expert_tokens;
        const auto busiest = std::max_element(counts.begin(), counts.end());
        return fmt::format("{}: {} %", busiest - counts.begin(), per_cent(*busiest, part.tokens));
    }));
    columns.push_back(column_of(parts, "idle", 0, [](const EvaluationPart& part) {
        return format_count(std::count(part.expert_tokens.begin(), part.expert_tokens.end(), 0));
    }));
    columns.push_back(column_of(parts, "effective", 0, [](const EvaluationPart& part) {
        return fmt::format("{:.1f}", effective_number(part.expert_tokens));
    }));
    columns[0].min_width = std::min<int64_t>(16, columns[0].width());
    const int64_t room = width - width_of(columns) - 2;
    constexpr int64_t fewest_bars = 8;
    if (room >= fewest_bars) {
        columns.push_back(bars_column(parts, room));
    }
    return table(columns, width, false);
}

}  // namespace

std::string domain_table(const Evaluation& result, int width) {
    const std::vector<EvaluationPart> parts = parts_of(result);
    std::vector<Column> columns = {
        domain_column(parts, "domain", 16),
        column_of(parts, "tokens", 12,
                  [](const EvaluationPart& part) { return format_count(part.tokens); }),
        column_of(parts, "bytes", 12,
                  [](const EvaluationPart& part) { return format_count(part.bytes); }),
        column_of(parts, "loss/token", 10,
                  [](const EvaluationPart& part) { return fmt::format("{:.4f}", part.loss()); }),
        column_of(parts, "bits/byte", 12, [](const EvaluationPart& part) {
            return fmt::format("{:.4f}", part.bits_per_byte());
        })};
    // Bytes are dropped first, then tokens: the losses are what was asked for.
    for (const size_t least : {2, 1}) {
        if (!fit(columns, width)) {
            columns.erase(columns.begin() + ptrdiff_t(least));
        }
    }
    return table(columns, width, false);
}

std::string expert_table(const Evaluation& result, int width, bool colour) {
    const std::vector<EvaluationPart> parts = parts_of(result);
    const int64_t K = int64_t(result.total.expert_tokens.size());
    const std::string title = wrapped("share of each expert in a domain's tokens, %", width) + "\n";
    for (const auto& [min_domain, min_share, with_bars] :
         {std::tuple(16, 5, true), std::tuple(0, 0, true), std::tuple(0, 0, false)}) {
        std::vector<Column> columns = share_columns(parts, min_domain, min_share);
        if (with_bars) {
            columns.push_back(bars_column(parts, K));
        }
        if (fit(columns, width)) {
            return title + table(columns, width, colour);
        }
    }
    const std::string summary = fmt::format(
        "{} experts by domain; effective: how many with equal shares have the same entropy", K);
    return wrapped(summary, width) + "\n" + summary_table(parts, width);
}

std::string expert_counts(const std::vector<int64_t>& tokens, int width, bool colour) {
    std::vector<size_t> experts(tokens.size());
    std::iota(experts.begin(), experts.end(), size_t(0));
    // Begins with `text`, and starts a new line whenever one is full, as long as any are left.
    const auto listed = [&](std::string text, int lines) {
        int64_t column = columns_of(text);
        size_t shown = 0;
        for (const size_t k : experts) {
            const std::string count = fmt::format("{}: {}", k, tokens[k]);
            if (column + 2 + columns_of(count) > width) {
                if (--lines == 0) {
                    break;
                }
                text += "\n       ";
                column = 7;
            }
            text += "  " + (colour ? in_expert_colour(count, int64_t(k)) : count);
            column += 2 + columns_of(count);
            ++shown;
        }
        return std::pair(text + "\n", shown == experts.size());
    };
    constexpr int most_lines = 4;
    if (const auto [text, whole] = listed("experts", most_lines); whole) {
        return text;
    }
    const int64_t idle = std::erase_if(experts, [&](size_t k) { return tokens[k] == 0; });
    std::stable_sort(experts.begin(), experts.end(),
                     [&](size_t a, size_t b) { return tokens[a] > tokens[b]; });
    return fmt::format("{} experts, {} idle; the busiest:\n", tokens.size(), idle) +
           listed(std::string(7, ' '), 1).first;
}

}  // namespace smoe
