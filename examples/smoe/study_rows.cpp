// Rows from the reports of a run, to a line of results.csv, and back.
// Read next: models/training/training_loop.cpp, which writes the reports.
#include "examples/smoe/study_rows.h"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/text.h"
#include "models/text/csv.h"

namespace smoe {
namespace {

using Json = nlohmann::ordered_json;
using OptionalNumber = std::optional<double>;

const std::vector<std::string> columns = {
    "arm",     "seed",   "lr",   "phase",         "step",     "tokens", "multiply_adds",
    "seconds", "domain", "loss", "bits_per_byte", "settings", "text"};

OptionalNumber number(const Json& object, const char* key) {
    return object.contains(key) && object[key].is_number()
               ? OptionalNumber(object[key].get<double>())
               : std::nullopt;
}

std::vector<std::string> with_one_folder(std::vector<std::string> paths) {
    for (std::string& path : paths) {
        const std::filesystem::path whole(path);
        path = (whole.parent_path().filename() / whole.filename()).string();
    }
    return paths;
}

// The cells of one line of results.csv by the names of their columns.
class CsvRow {
  public:
    CsvRow(const std::vector<std::string>& cells, std::string where)
        : cells_(cells), where_(std::move(where)) {}

    const std::string& text(const char* column) const {
        const auto at = std::ranges::find(columns, column) - columns.begin();
        return cells_[size_t(at)];
    }

    OptionalNumber number(const char* column) const {
        const std::string& cell = text(column);
        double value = 0;
        const char* end = cell.data() + cell.size();
        const auto [rest, problem] = std::from_chars(cell.data(), end, value);
        check(cell.empty() || (problem == std::errc() && rest == end && std::isfinite(value)),
              "{}: '{}' is no number for the column {}", where_, to_one_line(cell), column);
        return cell.empty() ? std::nullopt : OptionalNumber(value);
    }

  private:
    const std::vector<std::string>& cells_;
    std::string where_;
};

}  // namespace

std::vector<ResultRow> rows_of(size_t run, const std::vector<Json>& reports) {
    std::vector<ResultRow> rows;
    ResultRow training;  // the last report of the loss in training
    for (const Json& report : reports) {
        const auto step = report["step"].get<int64_t>();
        if (report.contains("loss")) {
            training = {run,
                        step,
                        number(report, "tokens"),
                        number(report, "multiply_adds"),
                        number(report, "seconds"),
                        "",
                        {},
                        {}};
        }
        if (!report.contains("valid_loss")) {
            continue;
        }
        ResultRow row = training.step == step ? training : ResultRow{};
        row.run = run;
        row.step = step;
        row.domain = "all";
        row.loss = number(report, "valid_loss");
        row.bits_per_byte = number(report, "valid_bits_per_byte");
        rows.push_back(row);
        if (!report.contains("valid_domains") || !report["valid_domains"].is_object()) {
            continue;
        }
        for (const auto& [domain, losses] : report["valid_domains"].items()) {
            if (losses.is_object()) {
                row.domain = domain;
                row.loss = number(losses, "loss");
                row.bits_per_byte = number(losses, "bits_per_byte");
                rows.push_back(row);
            }
        }
    }
    return rows;
}

std::vector<std::pair<std::string, std::string>> fixed_values(const Config& config) {
    Config named = config;
    named.data = with_one_folder(config.data);
    named.valid = with_one_folder(config.valid);
    std::vector<std::pair<std::string, std::string>> values;
    visit_settings(named, [&](const Setting& setting, const auto& field) {
        const std::string name = setting.name();
        const bool text = name == "data.data" || name == "data.valid";
        const bool follows = name == "model.vocab_size" || name == "data.tokenizer" ||
                             name == "data.entries" || name == "data.pre_tokenizer" ||
                             name.ends_with("_hash");
        if (text || (!setting.free && !follows)) {
            values.emplace_back(name, setting_text(field));
        }
    });
    return values;
}

std::string settings_fingerprint(const Config& config) {
    const auto values = fixed_values(config), defaults = fixed_values({});
    std::string all = fmt::format("steps={}\n", config.steps);
    for (const auto& value : values) {
        if (std::ranges::find(defaults, value) == defaults.end()) {
            all += fmt::format("{}={}\n", value.first, value.second);
        }
    }
    return fmt::format("{:016x}", hash_bytes(all));
}

Json row_object(const StudyArm& arm, const StudyRun& run, const ResultRow& row,
                const std::string& text) {
    const auto cell = [](const OptionalNumber& value) {
        const bool whole = value && std::abs(*value) < 9e15 && *value == std::floor(*value);
        return !value ? Json() : whole ? Json(int64_t(*value)) : Json(*value);
    };
    return {{"arm", arm.name},
            {"seed", run.seed},
            {"lr", run.lr},
            {"phase", phase_name(run.phase)},
            {"step", row.step},
            {"tokens", cell(row.tokens)},
            {"multiply_adds", cell(row.multiply_adds)},
            {"seconds", cell(row.seconds)},
            {"domain", row.domain},
            {"loss", cell(row.loss)},
            {"bits_per_byte", cell(row.bits_per_byte)},
            {"settings", run.settings},
            {"text", text}};
}

std::string csv_text(const std::vector<Json>& objects) {
    std::string text = join(columns, ",") + "\n";
    for (const Json& object : objects) {
        std::vector<std::string> cells;
        for (const std::string& column : columns) {
            const Json& value = object.at(column);
            cells.push_back(value.is_null()     ? ""
                            : value.is_string() ? csv_cell(value.get<std::string>())
                                                : value.dump());
        }
        text += join(cells, ",") + "\n";
    }
    return text;
}

void read_recorded_runs(const std::string& path, RecordedRuns& runs) {
    const std::string bytes = read_file(path);
    CsvReader reader(bytes, ',', path);
    std::vector<std::string> cells;
    check(reader.next(cells) && cells == columns,
          "'{}' has no rows of a study: its first line must be {}", path, join(columns, ","));
    RecordedRuns found;
    while (reader.next(cells)) {
        const std::string where = fmt::format("'{}' line {}", path, reader.line());
        check(cells.size() == columns.size(), "{}: {} cells instead of {}", where, cells.size(),
              columns.size());
        const CsvRow row(cells, where);
        const OptionalNumber step = row.number("step");
        check(step && *step >= 0 && *step < 9e15 && *step == std::floor(*step),
              "{}: '{}' is no number of steps", where, to_one_line(row.text("step")));
        RecordedRun& run = found[row.text("settings")];
        check(run.rows.empty() || run.text == row.text("text"),
              "{}: this run has another held-out text in the lines before", where);
        run.text = row.text("text");
        run.rows.push_back({0, int64_t(*step), row.number("tokens"), row.number("multiply_adds"),
                            row.number("seconds"), row.text("domain"), row.number("loss"),
                            row.number("bits_per_byte")});
    }
    runs.merge(found);
}

}  // namespace smoe
