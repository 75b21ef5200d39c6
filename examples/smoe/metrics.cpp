// smoe metrics: the numbers of metrics.jsonl for other programs, as a table (CSV, RFC 4180) or as
// an event file of TensorBoard. It computes nothing: a column is a number of metrics.jsonl, and
// those in lists and objects get a name such as expert_tokens.3.
// Read next: event_file.h.
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/file.h"
#include "core/format.h"
#include "core/text.h"
#include "examples/smoe/commands.h"
#include "examples/smoe/event_file.h"
#include "examples/smoe/options.h"
#include "examples/smoe/outputs.h"
#include "examples/smoe/printing.h"
#include "models/training/run_directory.h"

namespace smoe {
namespace {

using Json = nlohmann::ordered_json;

struct MetricsOptions {
    std::string run, csv, tensorboard;
};

struct Number {
    std::string name;
    Json value;
};

// The numbers in `value` and below it, by names with `separator` between the steps down.
void collect(const std::string& name, const Json& value, char separator,
             std::vector<Number>& numbers) {
    if (value.is_number()) {
        numbers.push_back({name, value});
    } else if (value.is_object() || value.is_array()) {
        size_t i = 0;
        for (const auto& [key, part] : value.items()) {
            const std::string below = value.is_array() ? std::to_string(i++) : key;
            collect(name.empty() ? below : name + separator + below, part, separator, numbers);
        }
    }
}

std::vector<Number> numbers_of(const Json& report, char separator) {
    std::vector<Number> numbers;
    collect("", report, separator, numbers);
    return numbers;
}

// A line for each report; where a report lacks a number, its field is empty.
std::string csv_table(const std::vector<Json>& reports) {
    std::vector<std::string> columns;
    std::map<std::string, size_t> places;
    std::vector<std::map<size_t, std::string>> rows;  // texts by column
    for (const Json& report : reports) {
        rows.emplace_back();
        for (const Number& number : numbers_of(report, '.')) {
            const auto [place, is_new] = places.try_emplace(number.name, columns.size());
            if (is_new) {
                columns.push_back(csv_cell(number.name));
            }
            rows.back()[place->second] = number.value.dump();
        }
    }
    std::string table = join(columns, ",") + "\n";
    for (const std::map<size_t, std::string>& row : rows) {
        for (size_t c = 0; c < columns.size(); ++c) {
            table += (c > 0 ? "," : "") + (row.contains(c) ? row.at(c) : "");
        }
        table += "\n";
    }
    return table;
}

std::string event_file(const std::vector<Json>& reports) {
    const auto time_of = [](const Json& report) {
        return report.contains("time") && report["time"].is_number() ? report["time"].get<double>()
                                                                     : 0.0;
    };
    std::string bytes = event_file_start(time_of(reports.front()));
    for (const Json& report : reports) {
        std::vector<Scalar> scalars;
        for (const Number& number : numbers_of(report, '/')) {
            if (number.name != "step" && number.name != "time") {
                scalars.push_back({number.name, number.value.get<float>()});
            }
        }
        bytes += scalars_record(time_of(report), report["step"].get<int64_t>(), scalars);
    }
    return bytes;
}

int metrics(const MetricsOptions& options) {
    if (options.csv.empty() == options.tensorboard.empty()) {
        throw UsageError("metrics wants --csv FILE or --tensorboard DIR");
    }
    const RunDirectory run(options.run);
    run.config();  // throws if there is none
    const std::vector<Json> reports = run.metrics();
    check(!reports.empty(), "'{}' holds no report in metrics.jsonl: train it first", run.path());
    if (!options.csv.empty()) {
        require_replaceable(options.csv, "a table of smoe metrics", [](const std::string& bytes) {
            return bytes.empty() || bytes.starts_with("step,");
        });
        write_file(options.csv, csv_table(reports));
        say("{} reports, written to {}", format_count(int64_t(reports.size())), options.csv);
        return 0;
    }
    // One name, so that a newer state of the run replaces the older one.
    const std::string file = options.tensorboard + "/events.out.tfevents.0.smoe";
    require_replaceable(file, "an event file", [](const std::string& bytes) {
        return bytes.empty() || is_event_file(bytes);
    });
    require_writable_folder(options.tensorboard);
    make_folder(options.tensorboard);
    write_file(file, event_file(reports));
    say("{} reports, written to {}; show {} to TensorBoard", format_count(int64_t(reports.size())),
        file, options.tensorboard);
    return 0;
}

}  // namespace

Command add_metrics(Arguments arguments) {
    auto options = std::make_shared<MetricsOptions>();
    arguments.path("run", options->run, "run directory").required().called("DIR");
    arguments.path("--csv", options->csv, "file to write: a line for each report");
    arguments
        .path("--tensorboard", options->tensorboard,
              "folder to write an event file to, which TensorBoard reads")
        .called("DIR");
    return [options] { return metrics(*options); };
}

}  // namespace smoe
