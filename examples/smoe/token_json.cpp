// token_json: numbers are rounded to what float32 is good for.
// Read next: tests/examples/generate_test.cpp.
#include "examples/smoe/token_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "examples/smoe/report_data.h"

namespace smoe {

nlohmann::ordered_json token_json(const Generator::Token& token, const Tokenizer& tokenizer) {
    using Json = nlohmann::ordered_json;
    constexpr int digits = 6;
    const auto named = [&tokenizer](int32_t id, double log_probability) {
        return Json{{"id", id},
                    {"text", to_valid_utf8(tokenizer.token_bytes(id))},
                    {"log_probability", rounded(log_probability, digits)}};
    };
    Json json = named(token.id, token.log_probability);
    json["expert"] = token.expert == no_expert ? Json() : Json(token.expert);
    if (!token.router.empty()) {
        Json& router = json["router"] = Json::array();
        for (const real probability : token.router) {
            router.push_back(rounded(double(probability), digits));
        }
    }
    if (!token.likeliest.empty()) {
        Json& likeliest = json["likeliest"] = Json::array();
        for (const Sampler::Ranked& other : token.likeliest) {
            likeliest.push_back(named(other.id, double(other.value)));
        }
    }
    return json;
}

}  // namespace smoe
