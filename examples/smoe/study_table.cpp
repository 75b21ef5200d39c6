// A table for a terminal that is also one for a README.
// Read next: examples/README.md, how to read it.
#include "examples/smoe/study_table.h"

#include <algorithm>
#include <cmath>

#include "core/format.h"
#include "core/terminal.h"

namespace smoe {
namespace {

using Cells = std::vector<std::string>;

std::string difference_text(const PairedTest& test) {
    return std::isfinite(test.mean) ? fmt::format("{:+.4f}", test.mean) : "-";
}

// Lines of cells, the first of which are the heads, as Markdown that is aligned as plain text, too.
std::string markdown(const std::vector<Cells>& lines) {
    std::vector<int64_t> widths(lines[0].size(), 3);
    for (const Cells& line : lines) {
        for (size_t i = 0; i < line.size(); ++i) {
            widths[i] = std::max(widths[i], columns_of(line[i]));
        }
    }
    std::string text;
    for (size_t row = 0; row < lines.size(); ++row) {
        for (size_t i = 0; i < widths.size(); ++i) {
            const std::string blanks(size_t(widths[i] - columns_of(lines[row][i])), ' ');
            text += i == 0 ? "| " + lines[row][i] + blanks : " | " + blanks + lines[row][i];
        }
        text += " |\n";
        for (size_t i = 0; row == 0 && i < widths.size(); ++i) {
            const std::string dashes(size_t(widths[i] + 1), '-');
            text += i == 0 ? "|" + dashes + "-" : "|" + dashes + ":";
        }
        text += row == 0 ? "|\n" : "";
    }
    return text;
}

// "Held-out text after 60 steps: ..."
std::string title(const std::string& reference, const std::string& domain, const Comparison& steps,
                  const Comparison& work, const Comparison& time) {
    if (steps.amount == 0) {
        return "No run in full has finished, so there is nothing to compare yet.";
    }
    std::string text = fmt::format(
        "Held-out text{} after {}: mean ± standard deviation over seeds.{}",
        domain == "all" ? "" : " of the domain " + domain, spent_text(steps.amount, steps.spent),
        reference.empty() ? "" : " Differences in nats per token, paired by seed.");
    if (work.amount > 0 && time.amount > 0) {
        text += fmt::format(
            " The last columns: the loss after {}, and after {}, between "
            "evaluations.",
            spent_text(work.amount, work.spent), spent_text(time.amount, time.spent));
    }
    return text;
}

}  // namespace

std::string mean_text(const Summary& summary) {
    if (summary.count == 0) {
        return "-";
    }
    return fmt::format("{:.4f}", summary.mean) +
           (summary.count > 1 ? fmt::format(" ± {:.4f}", summary.deviation) : "");
}

std::string p_text(double p) {
    return !std::isfinite(p) ? "-" : p < 0.0001 ? "< 0.0001" : fmt::format("{:.4f}", p);
}

std::string table_text(const Study& study, const std::string& domain) {
    const std::vector<ResultRow> rows = result_rows(study);
    const Comparison steps = compare_arms(study, rows, Spent::steps, domain),
                     work = compare_arms(study, rows, Spent::multiply_adds, domain),
                     time = compare_arms(study, rows, Spent::seconds, domain);
    const std::string reference = study.plan().compare_to;
    Cells heads = {"arm", "lr", "seeds", "bits per byte", "loss"};
    if (!reference.empty()) {
        heads.insert(heads.end(), {"loss - " + reference, "95 % interval", "p"});
    }
    for (const char* head : {"at equal multiply-adds", "at equal seconds"}) {
        heads.emplace_back(head);
        if (!reference.empty()) {
            heads.push_back("- " + reference);
        }
    }
    std::vector<Cells> lines = {heads};
    bool at_end = false;
    for (size_t arm = 0; arm < study.plan().arms.size(); ++arm) {
        const std::string& name = study.plan().arms[arm].name;
        const std::optional<double> lr = study.best_lr(arm);
        const bool lr_at_end = study.best_lr_is_at_end(arm), itself = name == reference;
        at_end |= lr_at_end;
        const ArmResult& result = steps.arms[arm];
        Cells& line = lines.emplace_back(
            Cells{name, lr ? fmt::format("{}{}", *lr, lr_at_end ? "*" : "") : "-",
                  fmt::format("{}", result.loss.count), mean_text(result.bits_per_byte),
                  mean_text(result.loss)});
        if (!reference.empty()) {
            const PairedTest& test = result.difference;
            line.push_back(itself ? "-" : difference_text(test));
            line.push_back(itself || !std::isfinite(test.low)
                               ? "-"
                               : fmt::format("{:+.4f} to {:+.4f}", test.low, test.high));
            line.push_back(itself ? "-" : p_text(test.p));
        }
        for (const Comparison* other : {&work, &time}) {
            line.push_back(mean_text(other->arms[arm].loss));
            if (!reference.empty()) {
                line.push_back(itself ? "-" : difference_text(other->arms[arm].difference));
            }
        }
    }
    return title(reference, domain, steps, work, time) + "\n\n" + markdown(lines) +
           (at_end ? "\n* the lowest or highest rate that was tried: a better one may lie beyond\n"
                   : "");
}

}  // namespace smoe
