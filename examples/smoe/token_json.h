// A token that a model read or wrote, as JSON for other programs.
// Read next: generate.cpp, serve_reply.cpp, which list them.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "models/generation/generator.h"
#include "models/text/tokenizer.h"

namespace smoe {

//     {"id": 531, "text": " girl", "log_probability": -0.12, "expert": 3,
//      "router": [0.1, ...],
//      "likeliest": [{"id": 531, "text": " girl", "log_probability": -0.12}, ...]}
// Bytes of "text" that are no UTF-8 by themselves are U+FFFD there. A token without an expert has
// null, and so has one whose probability was not asked for. The last two are left out if they were
// not asked for.
nlohmann::ordered_json token_json(const Generator::Token& token, const Tokenizer& tokenizer);

}  // namespace smoe
