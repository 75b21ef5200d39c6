// The arms of a study side by side.
// Read next: study_statistics.h, what the numbers are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "examples/smoe/study_results.h"
#include "examples/smoe/study_statistics.h"

namespace smoe {

struct ArmResult {
    size_t arm = 0;
    std::optional<double> lr;     // the best one
    bool lr_at_end = false;       // of several
    Summary bits_per_byte, loss;  // over seeds
    PairedTest difference;        // of the loss, this arm's - compare_to's, over seeds both have
};
struct StudyTable {
    int64_t step = 0;  // the last one at which all runs below were evaluated; 0: there is none
    std::vector<ArmResult> arms;
};

// The runs in full at each arm's best learning rate, in one domain.
StudyTable compare_arms(const Study& study, const std::string& domain = "all");

// As a table in Markdown, aligned, with a line above it that says what is compared.
std::string table_text(const Study& study, const StudyTable& table);

}  // namespace smoe
