// Which numbers of a study are compared: held-out losses of the arms after equal steps, equal work
// and equal time, paired by seed.
// Read next: study_statistics.h, what is said of them; study_table.h and study_page.h, which show it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "examples/smoe/study_results.h"
#include "examples/smoe/study_statistics.h"

namespace smoe {

// What the arms have spent alike.
enum class Spent { steps, multiply_adds, seconds };
// Of a run until the evaluation `row`; none if it was not reported.
std::optional<double> spent_until(const ResultRow& row, Spent spent);
// "1,500 steps", "2.31 T multiply-adds", "0:45 of training".
std::string spent_text(double amount, Spent spent);

struct HeldOut {
    double spent = 0;
    double loss = 0, bits_per_byte = 0;
};
// Linear between the evaluations `curve`, which are in the order of `spent`; none before the first
// and after the last.
std::optional<HeldOut> held_out_at(const std::vector<HeldOut>& curve, double spent);

// The evaluations in one domain of an arm's finished runs in full at its best learning rate, by
// seed. Losses are per token of the arm that others are compared to.
using ArmRows = std::map<uint64_t, std::vector<ResultRow>>;
std::vector<ArmRows> rows_by_arm(const Study& study, const std::vector<ResultRow>& rows,
                                 const std::string& domain);

struct ArmResult {
    size_t arm = 0;
    Summary bits_per_byte, loss;  // over seeds
    PairedTest difference;        // of the loss, this arm's - compare_to's, over seeds both have
};
struct Comparison {
    Spent spent = Spent::steps;
    // Steps: the last one at which all runs that are compared were evaluated. Else: the most that
    // all of them have spent. 0: there is none.
    double amount = 0;
    std::vector<ArmResult> arms;  // those of the plan
};
Comparison compare_arms(const Study& study, const std::vector<ResultRow>& rows, Spent spent,
                        const std::string& domain = "all");

// "all", and those of the text in the order of their rows.
std::vector<std::string> domains_of(const std::vector<ResultRow>& rows);
// Throws Error, naming the known ones, unless `domain` is one of them.
void require_domain(const std::vector<ResultRow>& rows, const std::string& domain);

}  // namespace smoe
