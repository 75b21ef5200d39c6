// What the experts of a model are, as JSON: what `smoe experts --json` prints, and what reports show.
// Read next: models/training/expert_analysis.h.
#pragma once

#include <nlohmann/json.hpp>

#include "models/training/expert_analysis.h"

namespace smoe {

// {"tokens", "loss", "permuted", "banned" (K), "single" (K), "oracle", "blocks": [{"expert_tokens"
// (K), "entropy", "domain", "token", "position"}]}, where the last three are {"bits", "floor"}.
nlohmann::ordered_json json_of(const ExpertAnalysis& result);

}  // namespace smoe
