// Which numbers are compared: equal steps, paired by seed.
// Read next: examples/README.md, how to read the table.
#include "examples/smoe/study_table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/format.h"
#include "core/terminal.h"

namespace smoe {
namespace {

// The rows of one arm at its best learning rate: by step, then by seed.
using ArmRows = std::map<int64_t, std::map<uint64_t, ResultRow>>;

std::vector<ArmRows> rows_by_arm(const Study& study, const std::string& domain) {
    std::vector<ArmRows> arms(study.plan().arms.size());
    for (const ResultRow& row : result_rows(study)) {
        const StudyRun& run = study.runs()[row.run];
        if (run.phase == StudyPhase::full && study.best_lr(run.arm) == run.lr &&
            study.status(row.run).state == RunState::finished && row.domain == domain && row.loss &&
            row.bits_per_byte) {
            arms[run.arm][row.step][run.seed] = row;
        }
    }
    return arms;
}

// The last step that every arm with results was evaluated at, for each of its seeds.
int64_t last_common_step(const std::vector<ArmRows>& arms) {
    std::map<int64_t, size_t> arms_at;
    size_t with_results = 0;
    for (const ArmRows& arm : arms) {
        size_t seeds = 0;
        for (const auto& [step, rows] : arm) {
            seeds = std::max(seeds, rows.size());
        }
        with_results += seeds > 0 ? 1 : 0;
        for (const auto& [step, rows] : arm) {
            arms_at[step] += rows.size() == seeds ? 1 : 0;
        }
    }
    for (auto at = arms_at.rbegin(); at != arms_at.rend(); ++at) {
        if (at->second == with_results) {
            return at->first;
        }
    }
    return 0;
}

std::string number_or_dash(double value, const char* format) {
    return std::isfinite(value) ? fmt::format(fmt::runtime(format), value) : "-";
}

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

// Lines of cells, the first of which are the heads, as Markdown that is aligned as plain text, too.
std::string markdown(const std::vector<std::vector<std::string>>& lines) {
    std::vector<int64_t> widths(lines[0].size(), 3);
    for (const auto& line : lines) {
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

}  // namespace

StudyTable compare_arms(const Study& study, const std::string& domain) {
    const std::vector<ArmRows> rows = rows_by_arm(study, domain);
    StudyTable table;
    table.step = last_common_step(rows);
    const auto at_step = [&](size_t arm) {
        const auto found = rows[arm].find(table.step);
        return found == rows[arm].end() ? std::map<uint64_t, ResultRow>() : found->second;
    };
    std::map<uint64_t, ResultRow> reference;
    for (size_t arm = 0; arm < rows.size(); ++arm) {
        if (study.plan().arms[arm].name == study.plan().compare_to) {
            reference = at_step(arm);
        }
    }
    for (size_t arm = 0; arm < rows.size(); ++arm) {
        std::vector<double> bits, losses, differences;
        for (const auto& [seed, row] : at_step(arm)) {
            bits.push_back(*row.bits_per_byte);
            losses.push_back(*row.loss);
            if (reference.contains(seed)) {
                differences.push_back(*row.loss - *reference.at(seed).loss);
            }
        }
        table.arms.push_back({arm, study.best_lr(arm), study.best_lr_is_at_end(arm),
                              summary_of(bits), summary_of(losses), paired_test(differences)});
    }
    return table;
}

std::string table_text(const Study& study, const StudyTable& table) {
    const std::string reference = study.plan().compare_to;
    std::vector<std::string> heads = {"arm", "lr", "seeds", "bits per byte", "loss"};
    if (!reference.empty()) {
        heads.insert(heads.end(), {"loss - " + reference, "95 % interval", "p"});
    }
    std::vector<std::vector<std::string>> lines = {heads};
    bool at_end = false;
    for (const ArmResult& arm : table.arms) {
        const std::string& name = study.plan().arms[arm.arm].name;
        at_end |= arm.lr_at_end;
        lines.push_back(
            {name, arm.lr ? fmt::format("{}{}", *arm.lr, arm.lr_at_end ? "*" : "") : "-",
             fmt::format("{}", arm.loss.count), mean_text(arm.bits_per_byte), mean_text(arm.loss)});
        if (!reference.empty()) {
            const PairedTest& test = arm.difference;
            const bool itself = name == reference;
            lines.back().push_back(itself ? "-" : number_or_dash(test.mean, "{:+.4f}"));
            lines.back().push_back(itself || !std::isfinite(test.low)
                                       ? "-"
                                       : fmt::format("{:+.4f} to {:+.4f}", test.low, test.high));
            lines.back().push_back(itself ? "-" : p_text(test.p));
        }
    }
    const std::string what =
        table.step == 0
            ? "No run in full has finished, so there is nothing to compare yet.\n\n"
            : fmt::format(
                  "Held-out text after {} steps: mean ± standard deviation over seeds.{}\n\n",
                  format_count(table.step),
                  reference.empty() ? "" : " Differences in nats per token, paired by seed.");
    return what + markdown(lines) +
           (at_end ? "\n* the lowest or highest rate that was tried: a better one may lie beyond\n"
                   : "");
}

}  // namespace smoe
