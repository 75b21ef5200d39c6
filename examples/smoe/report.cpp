// smoe report: one HTML page that shows what a run did, or how several compare. It changes nothing
// in a run except its report.html.
// Read next: report_data.h, what is shown.
#include <algorithm>
#include <memory>

#include "core/check.h"
#include "core/file.h"
#include "core/text.h"
#include "examples/smoe/commands.h"
#include "examples/smoe/options.h"
#include "examples/smoe/outputs.h"
#include "examples/smoe/printing.h"
#include "examples/smoe/report_data.h"
#include "examples/smoe/report_page.h"
#include "models/training/expert_colours.h"

namespace smoe {
namespace {

const PageKind report_kind = {"<!doctype html>\n<!-- a page of smoe report -->",
                              {report_run_script, report_script}};

struct ReportOptions {
    std::string run, out, long_stories;
    std::vector<std::string> compare, data;
};

// {"run", "model", "samples"} or {"runs", "arms", "without_reports"}: these keys tell the script which page to
// draw. "colours" are those of the experts, or of the arms.
nlohmann::ordered_json one_run(const ReportOptions& options) {
    const RunDirectory run(options.run);
    const Config config = run.config();
    Config reading = config;
    if (!options.long_stories.empty()) {
        reading.long_stories = enum_named<LongStories>(options.long_stories);
    }
    return {{"run", run_summary(run, config)},
            {"model", model_summary(run, reading, options.data)},
            {"samples", run_samples(run, config)},
            {"colours", expert_colours(std::max<int64_t>(config.model.experts.count, 8))}};
}

nlohmann::ordered_json several_runs(const ReportOptions& options) {
    nlohmann::ordered_json runs = nlohmann::ordered_json::array();
    std::vector<std::string> names;
    for (const std::string& path : options.compare) {
        const RunDirectory run(path);
        runs.push_back(run_summary(run, run.config()));
        names.push_back(runs.back()["name"]);
    }
    const nlohmann::ordered_json arms = arms_of(runs);
    names = told_apart(names);
    std::vector<std::string> without_reports;
    for (size_t i = 0; i < names.size(); ++i) {
        runs[i]["name"] = names[i];
        if (runs[i]["reports"]["step"].empty() && runs[i]["valid"]["step"].empty()) {
            without_reports.push_back(names[i]);
        }
    }
    check(without_reports.size() < runs.size(),
          "none of these {} runs has a report in its metrics.jsonl: train them first", runs.size());
    return {{"runs", runs},
            {"arms", arms},
            {"without_reports", without_reports},
            {"colours", expert_colours(int64_t(arms.size()))}};
}

int report(const ReportOptions& options) {
    const bool comparing = !options.compare.empty();
    if (!comparing && options.run.empty() && options.data.size() > 1) {
        throw UsageError("put the run directory before --data, which takes all names behind it");
    }
    if (comparing == !options.run.empty()) {
        throw UsageError("report wants one run directory, or --compare RUN RUN ...");
    }
    if (comparing && options.compare.size() < 2) {
        throw UsageError("--compare wants at least two run directories");
    }
    if (comparing && !options.data.empty()) {
        throw UsageError("--data is for the report of one run; --compare reads no text");
    }
    const std::string out = !options.out.empty() ? options.out
                            : comparing          ? "compare.html"
                                                 : RunDirectory(options.run).file("report.html");
    require_replaceable(out, "a page of smoe report", [](const std::string& bytes) {
        return bytes.empty() || bytes.starts_with(report_kind.start);
    });
    for (const std::string& run : comparing ? options.compare : std::vector{options.run}) {
        RunDirectory(run).config();  // throws if there is none
    }
    require_readable(options.data);
    require_writable(out);
    const std::string title = comparing ? fmt::format("{} runs", options.compare.size())
                                        : to_valid_utf8(file_name(options.run));
    write_file(out, page(report_kind, title, comparing ? several_runs(options) : one_run(options)));
    fmt::print("{}\n", shown(out));
    if (!comparing) {
        suggest("the page is for a browser; the model can be published:",
                "export " + shell_path(options.run) + " --hf hub/" +
                    shell_quoted(file_name(options.run)));
    }
    return 0;
}

}  // namespace

Command add_report(Arguments arguments) {
    auto options = std::make_shared<ReportOptions>();
    arguments.path("run", options->run, "run directory").called("DIR");
    arguments.paths("--compare", options->compare, "several run directories on one page")
        .called("DIR...");
    const Option data = arguments.paths(
        "--data", options->data,
        "stories to look at: .txt, .jsonl, .csv, .tsv or .tokens [the run's held-out text]");
    arguments.long_stories(options->long_stories).needs(data);
    arguments.path("-o,--out", options->out,
                   "file to write [report.html in the run directory, compare.html here]");
    return [options] { return report(*options); };
}

}  // namespace smoe
