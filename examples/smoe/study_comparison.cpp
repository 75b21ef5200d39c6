// From rows to curves, and from curves to one number for each seed.
// Read next: study_statistics.cpp.
#include "examples/smoe/study_comparison.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/format.h"
#include "core/text.h"

namespace smoe {
namespace {

using ArmCurves = std::map<uint64_t, std::vector<HeldOut>>;

std::vector<ArmCurves> curves_of(const std::vector<ArmRows>& arms, Spent spent) {
    std::vector<ArmCurves> curves(arms.size());
    for (size_t arm = 0; arm < arms.size(); ++arm) {
        for (const auto& [seed, rows] : arms[arm]) {
            for (const ResultRow& row : rows) {
                if (const std::optional<double> x = spent_until(row, spent)) {
                    curves[arm][seed].push_back({*x, *row.loss, *row.bits_per_byte});
                }
            }
        }
    }
    return curves;
}

// The last step of the evaluations that all curves have.
double last_common_step(const std::vector<ArmCurves>& arms) {
    std::map<double, size_t> curves_at;
    size_t curves = 0;
    for (const ArmCurves& arm : arms) {
        for (const auto& [seed, curve] : arm) {
            ++curves;
            for (const HeldOut& point : curve) {
                ++curves_at[point.spent];
            }
        }
    }
    for (auto at = curves_at.rbegin(); at != curves_at.rend(); ++at) {
        if (at->second == curves) {
            return at->first;
        }
    }
    return 0;
}

// Bits per byte are comparable between all arms, a loss per token only between those with the same
// tokens: another tokenizer has others, and padding that counts is tokens, too. Losses of such arms
// become those per token of the arm `reference`, whose text is the same.
void per_token_of(size_t reference, std::vector<ArmRows>& arms) {
    if (arms[reference].empty()) {
        return;
    }
    const ResultRow& any = arms[reference].begin()->second.front();
    const double tokens_are_others = 0.001;  // more than rounding
    for (ArmRows& arm : arms) {
        for (auto& [seed, rows] : arm) {
            for (ResultRow& row : rows) {
                const double loss = *row.bits_per_byte * (*any.loss / *any.bits_per_byte);
                if (std::abs(loss - *row.loss) > tokens_are_others * loss) {
                    row.loss = loss;
                }
            }
        }
    }
}

double most_of_all(const std::vector<ArmCurves>& arms) {
    double most = HUGE_VAL;
    for (const ArmCurves& arm : arms) {
        for (const auto& [seed, curve] : arm) {
            most = std::min(most, curve.back().spent);
        }
    }
    return std::isfinite(most) ? most : 0;
}

}  // namespace

std::optional<double> spent_until(const ResultRow& row, Spent spent) {
    return spent == Spent::steps           ? std::optional(double(row.step))
           : spent == Spent::multiply_adds ? row.multiply_adds
                                           : row.seconds;
}

std::string spent_text(double amount, Spent spent) {
    return spent == Spent::steps ? format_count(std::llround(amount)) + " steps"
           : spent == Spent::multiply_adds
               ? format_large(amount) + " multiply-adds"
               : (amount < 60 ? fmt::format("{:.2f} s", amount) : format_duration(amount)) +
                     " of training";
}

std::optional<HeldOut> held_out_at(const std::vector<HeldOut>& curve, double spent) {
    if (curve.empty() || spent < curve.front().spent || spent > curve.back().spent) {
        return std::nullopt;
    }
    const auto after = std::ranges::lower_bound(curve, spent, {}, &HeldOut::spent);
    if (after->spent == spent) {
        return *after;
    }
    const HeldOut &a = *(after - 1), &b = *after;
    const double share = (spent - a.spent) / (b.spent - a.spent);
    return HeldOut{spent, std::lerp(a.loss, b.loss, share),
                   std::lerp(a.bits_per_byte, b.bits_per_byte, share)};
}

std::vector<ArmRows> rows_by_arm(const Study& study, const std::vector<ResultRow>& rows,
                                 const std::string& domain) {
    std::vector<ArmRows> arms(study.plan().arms.size());
    for (const ResultRow& row : rows) {
        const StudyRun& run = study.runs()[row.run];
        if (run.phase == StudyPhase::full && row.domain == domain && row.loss &&
            row.bits_per_byte && study.best_lr(run.arm) == run.lr &&
            study.status(row.run).state == RunState::finished) {
            arms[run.arm][run.seed].push_back(row);
        }
    }
    for (size_t arm = 0; arm < arms.size(); ++arm) {
        if (study.plan().arms[arm].name == study.plan().compare_to) {
            per_token_of(arm, arms);
        }
    }
    return arms;
}

Comparison compare_arms(const Study& study, const std::vector<ResultRow>& rows, Spent spent,
                        const std::string& domain) {
    const std::vector<ArmCurves> curves = curves_of(rows_by_arm(study, rows, domain), spent);
    Comparison comparison;
    comparison.spent = spent;
    comparison.amount = spent == Spent::steps ? last_common_step(curves) : most_of_all(curves);
    std::vector<std::map<uint64_t, HeldOut>> reached(curves.size());
    std::map<uint64_t, HeldOut> reference;
    for (size_t arm = 0; arm < curves.size(); ++arm) {
        for (const auto& [seed, curve] : curves[arm]) {
            if (const auto point = held_out_at(curve, comparison.amount)) {
                reached[arm][seed] = *point;
            }
        }
        if (study.plan().arms[arm].name == study.plan().compare_to) {
            reference = reached[arm];
        }
    }
    for (size_t arm = 0; arm < curves.size(); ++arm) {
        std::vector<double> bits, losses, differences;
        for (const auto& [seed, point] : reached[arm]) {
            bits.push_back(point.bits_per_byte);
            losses.push_back(point.loss);
            if (reference.contains(seed)) {
                differences.push_back(point.loss - reference.at(seed).loss);
            }
        }
        comparison.arms.push_back(
            {arm, summary_of(bits), summary_of(losses), paired_test(differences)});
    }
    return comparison;
}

std::vector<std::string> domains_of(const std::vector<ResultRow>& rows) {
    std::vector<std::string> domains = {"all"};
    for (const ResultRow& row : rows) {
        if (std::ranges::count(domains, row.domain) == 0) {
            domains.push_back(row.domain);
        }
    }
    return domains;
}

void require_domain(const std::vector<ResultRow>& rows, const std::string& domain) {
    const std::vector<std::string> known = domains_of(rows);
    check(std::ranges::count(known, domain) > 0,
          "no run of this study was evaluated in a domain '{}'; known are {}", domain,
          join(known, ", "));
}

}  // namespace smoe
