// Reads a book and fills in its plots. It has about as much of a grammar engine as a children's
// book needs. It does not check whether a story makes sense: read fifty stories after changing a
// table.
// Read next: english_plots.cpp, the text that this file reads.
#include "models/text/corpus/writer.h"

#include <algorithm>
#include <charconv>

#include "core/check.h"

namespace smoe {

namespace {

constexpr size_t npos = std::string_view::npos;

bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

// Joins a line that starts with a blank to the line above.
std::string join_lines(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text.substr(i, 2) == "\n ") {
            i = text.find_first_not_of(' ', i + 1) - 1;
            out += ' ';
        } else {
            out += text[i];
        }
    }
    return out;
}

// One story while it is written: it remembers who plays which role.
class Teller {
  public:
    Teller(const Book& book, const Plot& plot, Rng& rng) : book_(book), plot_(plot), rng_(rng) {}

    std::string expand(std::string_view text) {
        std::string out;
        while (!text.empty()) {
            const size_t open = std::min(text.find_first_of("{[]}"), text.size());
            out += text.substr(0, open);
            text.remove_prefix(open);
            if (text.empty()) {
                break;
            }
            const size_t close = closing(text);
            const std::string_view inside = text.substr(1, close - 1);
            if (text.front() == '{') {
                out += slot(inside);
            } else {
                const auto choices = split(inside, '|');
                out += expand(choices[rng_.below(choices.size())]);
            }
            text.remove_prefix(close + 1);
        }
        return out;
    }

  private:
    size_t closing(std::string_view text) const {
        const char open = text.front(), close = open == '{' ? '}' : ']';
        check(open == '{' || open == '[', "{}: plot '{}': a bracket closes that never opened: {}",
              book_.title(), plot_.name, text);
        size_t depth = 0;
        for (size_t i = 0; i < text.size(); ++i) {
            depth += text[i] == open;
            depth -= text[i] == close;
            if (depth == 0) {
                return i;
            }
        }
        fail("{}: plot '{}': a bracket never closes: {}", book_.title(), plot_.name, text);
    }

    std::string slot(std::string_view inside) {
        check(!inside.empty(), "{}: plot '{}': a slot is empty", book_.title(), plot_.name);
        std::string lower(inside);
        const bool capital = is_upper(lower[0]);
        if (capital) {
            lower[0] = static_cast<char>(lower[0] - 'A' + 'a');
        }
        const size_t last = lower.find_last_of(' ');
        std::string out = last == npos ? expand(cell(lower).second) : phrase(lower);
        return capital ? capitalised(std::move(out)) : out;
    }

    std::string phrase(std::string_view text) {
        const auto words = split(text, ' ');
        const size_t colon = words[0].find(':');
        const auto [row, noun] = cell(words.back());
        Row owner = row;
        Phrase out{words[0], {}, noun, row, nullptr};
        if (colon != npos) {
            owner = role(words[0].substr(0, colon));
            out.owner = &owner;
            out.first = words[0].substr(colon + 1);
        }
        for (size_t i = 1; i + 1 < words.size(); ++i) {
            const std::string_view word = words[i];
            const bool written_out = word.ends_with('-');
            out.adjectives.push_back(written_out ? word.substr(0, word.size() - 1)
                                                 : cell(word).second);
        }
        return book_.inflect()(out);
    }

    // "role" or "role.column".
    std::pair<Row, std::string_view> cell(std::string_view name) {
        const size_t dot = name.find('.');
        const Row row = role(name.substr(0, dot));
        return {row, dot == npos ? row.table->rows[row.index][0] : row[name.substr(dot + 1)]};
    }

    Row role(std::string_view name) {
        for (const auto& [known, row] : roles_) {
            if (known == name) {
                return row;
            }
        }
        std::string_view source = name;
        for (const auto& [known, from] : plot_.cast) {
            if (known == name) {
                source = from;
            }
        }
        const Row row = source.find_first_of("0123456789.+-*") == npos ? draw(name, source)
                                                                       : compute(name, source);
        roles_.emplace_back(name, row);
        return row;
    }

    Row draw(std::string_view name, std::string_view source) {
        const Table* table = book_.find_table(source);
        check(table != nullptr, "{}: plot '{}': there is no role and no table named '{}'",
              book_.title(), plot_.name, source);
        std::vector<size_t> free;
        for (size_t i = 0; i < table->rows.size(); ++i) {
            if (std::none_of(roles_.begin(), roles_.end(), [&](const auto& known) {
                    return known.second == Row{table, i};
                })) {
                free.push_back(i);
            }
        }
        check(!free.empty(), "{}: plot '{}': the table '{}' has no row left for the role '{}'",
              book_.title(), plot_.name, source, name);
        return {table, free[rng_.below(free.size())]};
    }

    Row compute(std::string_view name, std::string_view formula) {
        int64_t value = 0;
        if (const size_t dots = formula.find(".."); dots != npos) {
            const int64_t low = number(formula.substr(0, dots));
            const int64_t high = number(formula.substr(dots + 2));
            check(low <= high, "{}: plot '{}': the range of '{}' is empty: {}", book_.title(),
                  plot_.name, name, formula);
            value = low + static_cast<int64_t>(rng_.below(static_cast<uint64_t>(high - low + 1)));
        } else {
            const size_t sign = formula.find_first_of("+-*");
            check(sign != npos, "{}: plot '{}': '{}' is no range and no sum", book_.title(),
                  plot_.name, formula);
            const int64_t left = number(formula.substr(0, sign));
            const int64_t right = number(formula.substr(sign + 1));
            const char what = formula[sign];
            value = what == '+' ? left + right : what == '-' ? left - right : left * right;
        }
        const Table* table = book_.find_table("number");
        check(table != nullptr && value >= 0 && value < static_cast<int64_t>(table->rows.size()),
              "{}: plot '{}': the table 'number' has no row for {} = {} = {}", book_.title(),
              plot_.name, name, formula, value);
        return {table, static_cast<size_t>(value)};
    }

    // Digits, or a role that is a number.
    int64_t number(std::string_view text) {
        int64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc() && end == text.data() + text.size()) {
            return value;
        }
        const Row row = role(text);
        check(row.table->name == "number", "{}: plot '{}': '{}' is not a number", book_.title(),
              plot_.name, text);
        return static_cast<int64_t>(row.index);
    }

    const Book& book_;
    const Plot& plot_;
    Rng& rng_;
    std::vector<std::pair<std::string, Row>> roles_;
};

}  // namespace

std::string_view Row::operator[](std::string_view column) const {
    const auto& columns = table->columns;
    const auto found = std::find(columns.begin(), columns.end(), column);
    check(found != columns.end(), "corpus: the table '{}' has no column '{}'", table->name, column);
    return table->rows[index][static_cast<size_t>(found - columns.begin())];
}

Book::Book(std::string title, std::string_view text, Inflect grammar)
    : title_(std::move(title)), text_(join_lines(text)), inflect_(grammar) {
    enum class In { nothing, table, plot } in = In::nothing;
    std::string_view rest = text_;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        try {
            if (trim(line).empty()) {
                in = In::nothing;
            } else if (in == In::nothing && line.starts_with("table ")) {
                in = In::table;
                const size_t colon = line.find(':');
                check(colon != npos, "expected 'table NAME: COLUMN, ...'");
                tables_.push_back({trim(line.substr(6, colon - 6)), {}, {}});
                for (const std::string_view column : split(line.substr(colon + 1), ',')) {
                    tables_.back().columns.push_back(trim(column));
                }
            } else if (in == In::nothing && line.starts_with("plot ")) {
                in = In::plot;
                plots_.push_back({trim(line.substr(5)), {}, {}});
            } else {
                check(in != In::nothing, "expected 'table NAME: COLUMN, ...' or 'plot NAME'");
                in == In::table ? read_table_line(line) : read_plot_line(line);
            }
        } catch (const Error& error) {
            fail("{}: {}, found '{}'", title_, error.what(), line);
        }
    }
    check(!plots_.empty(), "{}: the book has no plot", title_);
}

void Book::read_table_line(std::string_view line) {
    Table& table = tables_.back();
    auto cells = split(line, '|');
    std::ranges::transform(cells, cells.begin(), trim);
    check(cells.size() == table.columns.size(), "table '{}': expected a row of {} cells",
          table.name, table.columns.size());
    table.rows.push_back(std::move(cells));
}

void Book::read_plot_line(std::string_view line) {
    Plot& plot = plots_.back();
    if (line.starts_with("cast ")) {
        for (const std::string_view entry : split(line.substr(5), ',')) {
            const size_t colon = entry.find(':');
            check(colon != npos, "expected 'cast ROLE:TABLE, ...'");
            plot.cast.emplace_back(trim(entry.substr(0, colon)), trim(entry.substr(colon + 1)));
        }
    } else if (line == "--") {
        plot.beats.emplace_back();
    } else if (line.starts_with("- ") || line.starts_with("? ")) {
        plot.beats.push_back({{line.substr(2)}, line[0] == '?'});
    } else {
        check(
            line.starts_with("| ") && !plot.beats.empty() && !plot.beats.back().wordings.empty(),
            "a line of a plot starts with '- ', '? ', '| ' after one of these, 'cast ' or is '--'");
        plot.beats.back().wordings.push_back(line.substr(2));
    }
}

std::string Book::write(Rng& rng) const {
    return write(plots_[rng.below(plots_.size())], rng);
}

std::string Book::write(const Plot& plot, Rng& rng) const {
    Teller teller(*this, plot, rng);
    const auto spares = static_cast<uint64_t>(std::ranges::count(plot.beats, true, &Beat::spare));
    const uint64_t told = rng.below(spares + 1);  // which spare beat; `spares` stands for none
    uint64_t spare = 0;
    std::string story;
    char gap = ' ';
    for (const auto& [wordings, is_spare] : plot.beats) {
        if (wordings.empty()) {
            gap = rng.below(2) == 0 ? '\n' : ' ';
            continue;
        }
        if (is_spare && spare++ != told) {
            continue;
        }
        if (!story.empty()) {
            story += gap;
        }
        gap = ' ';
        story += teller.expand(wordings[rng.below(wordings.size())]);
    }
    return story;
}

std::string Book::expand(const Plot& plot, std::string_view wording, Rng& rng) const {
    return Teller(*this, plot, rng).expand(wording);
}

const Table* Book::find_table(std::string_view name) const {
    const auto found = std::ranges::find(tables_, name, &Table::name);
    return found == tables_.end() ? nullptr : &*found;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> pieces;
    size_t start = 0;
    int depth = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        depth += text[i] == '[' || text[i] == '{';
        depth -= text[i] == ']' || text[i] == '}';
        if (text[i] == separator && depth == 0) {
            pieces.push_back(text.substr(start, i - start));
            start = i + 1;
        }
    }
    pieces.push_back(text.substr(start));
    return pieces;
}

std::string_view trim(std::string_view text) {
    const size_t first = std::min(text.find_first_not_of(' '), text.size());
    text.remove_prefix(first);
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

std::string capitalised(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
        text[0] = static_cast<char>(text[0] - 'a' + 'A');
    }
    return text;
}

}  // namespace smoe
