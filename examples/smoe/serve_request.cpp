// completion_request: a reader that takes one field after the other, and then complains about those
// that are left.
// Read next: tests/examples/serve_test.cpp.
#include "examples/smoe/serve_request.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "core/json.h"
#include "core/text.h"

namespace smoe {
namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string& param, const std::string& message) {
    throw ApiError(400, param + ": " + message, "", param);
}

// The fields of an object. Null is as good as a missing field.
class Fields {
  public:
    explicit Fields(const Json& object) : object_(object) {}

    const Json* find(const std::string& name) {
        known_.push_back(name);
        const auto at = object_.find(name);
        return at == object_.end() || at->is_null() ? nullptr : &*at;
    }
    int64_t whole(const std::string& name, int64_t usual, int64_t least, int64_t most) {
        const Json* const value = find(name);
        return value == nullptr ? usual : whole_number(*value, name, least, most);
    }
    double number(const std::string& name, double usual) {
        const Json* const value = find(name);
        if (value != nullptr && !value->is_number()) {
            refuse(name, "expected a number, found " + shown_json(*value));
        }
        return value == nullptr ? usual : value->get<double>();
    }
    bool flag(const std::string& name) {
        const Json* const value = find(name);
        if (value != nullptr && !value->is_boolean()) {
            refuse(name, "expected true or false, found " + shown_json(*value));
        }
        return value != nullptr && value->get<bool>();
    }
    std::string text(const std::string& name) {
        const Json* const value = find(name);
        if (value != nullptr && !value->is_string()) {
            refuse(name, "expected a string, found " + shown_json(*value));
        }
        return value == nullptr ? "" : value->get<std::string>();
    }

    // Refuses a field that means something which is not done here.
    void require_nothing(const std::string& name, const std::vector<Json>& nothing) {
        const Json* const value = find(name);
        if (value != nullptr && std::ranges::find(nothing, *value) == nothing.end()) {
            refuse(name, "this server cannot do that, found " + shown_json(*value));
        }
    }
    void require_no_others() const {
        for (const auto& [name, value] : object_.items()) {
            if (std::ranges::find(known_, name) == known_.end()) {
                const std::string nearest = nearest_name(name, known_);
                refuse(to_one_line(name),
                       "there is no such field" +
                           (nearest.empty() ? "" : ", did you mean '" + nearest + "'?"));
            }
        }
    }

    static int64_t whole_number(const Json& value, const std::string& name, int64_t least,
                                int64_t most) {
        const bool fits = value.is_number_integer() &&
                          (!value.is_number_unsigned() || value.get<uint64_t>() <= INT64_MAX);
        if (!fits || value.get<int64_t>() < least || value.get<int64_t>() > most) {
            refuse(name, fmt::format("expected a whole number from {} to {}, found {}", least, most,
                                     shown_json(value)));
        }
        return value.get<int64_t>();
    }

  private:
    const Json& object_;
    std::vector<std::string> known_;
};

std::vector<int32_t> ids_of(const Json& list) {
    std::vector<int32_t> ids;
    for (const Json& id : list) {
        ids.push_back(int32_t(Fields::whole_number(id, "prompt", 0, INT32_MAX)));
    }
    return ids;
}

bool all_are(const Json& list, bool (*is)(const Json&)) {
    return std::all_of(list.begin(), list.end(), is);
}

std::vector<std::vector<int32_t>> prompts_of(Fields& fields, const Tokenizer& tokenizer) {
    const Json* const prompt = fields.find("prompt");
    if (prompt == nullptr) {
        return {{}};
    }
    const auto encode = [&tokenizer](const Json& text) {
        return tokenizer.encode(text.get_ref<const std::string&>());
    };
    std::vector<std::vector<int32_t>> prompts;
    const bool is_list = prompt->is_array() && !prompt->empty();
    if (prompt->is_string()) {
        prompts.push_back(encode(*prompt));
    } else if (is_list && all_are(*prompt, [](const Json& one) { return one.is_number(); })) {
        prompts.push_back(ids_of(*prompt));
    } else if (is_list && prompt->size() <= size_t(most_texts) &&
               all_are(*prompt, [](const Json& one) { return one.is_string(); })) {
        std::transform(prompt->begin(), prompt->end(), std::back_inserter(prompts), encode);
    } else if (is_list && prompt->size() <= size_t(most_texts) &&
               all_are(*prompt, [](const Json& one) { return one.is_array(); })) {
        std::transform(prompt->begin(), prompt->end(), std::back_inserter(prompts), ids_of);
    } else {
        refuse("prompt", fmt::format("expected a string, token ids, or a list of at most {} of "
                                     "either kind, found {}",
                                     most_texts, shown_json(*prompt)));
    }
    return prompts;
}

std::vector<std::string> stops_of(Fields& fields) {
    const Json* const stop = fields.find("stop");
    if (stop == nullptr) {
        return {};
    }
    if (stop->is_string()) {
        return {stop->get<std::string>()};
    }
    if (!stop->is_array() || !all_are(*stop, [](const Json& one) { return one.is_string(); })) {
        refuse("stop", "expected a string or a list of strings, found " + shown_json(*stop));
    }
    return stop->get<std::vector<std::string>>();
}

uint64_t seed_of(Fields& fields) {
    const Json* const seed = fields.find("seed");
    if (seed == nullptr) {
        std::random_device chance;
        return chance();
    }
    if (!seed->is_number_integer()) {
        refuse("seed", "expected a whole number, found " + shown_json(*seed));
    }
    return seed->is_number_unsigned() ? seed->get<uint64_t>() : uint64_t(seed->get<int64_t>());
}

ExpertRule rule_of(Fields& fields, int64_t experts) {
    ExpertRule rule;
    for (const char* const name : {"expert", "banned_experts"}) {
        if (experts == 0 && fields.find(name) != nullptr) {
            refuse(name, "no request can choose the experts of this model");
        }
    }
    if (const Json* const expert = fields.find("expert")) {
        if (*expert == "all") {
            rule.forced = no_expert;
        } else {
            rule.forced = int32_t(Fields::whole_number(*expert, "expert", 0, experts - 1));
        }
    }
    if (const Json* const banned = fields.find("banned_experts")) {
        if (!banned->is_array()) {
            refuse("banned_experts", "expected a list of numbers, found " + shown_json(*banned));
        }
        std::set<int32_t> distinct;
        for (const Json& expert : *banned) {
            distinct.insert(
                int32_t(Fields::whole_number(expert, "banned_experts", 0, experts - 1)));
        }
        rule.banned.assign(distinct.begin(), distinct.end());
    }
    return rule;
}

Sampling sampling_of(Fields& fields) {
    Sampling sampling;
    sampling.temperature = fields.number("temperature", 1);
    sampling.top_p = fields.number("top_p", 1);
    sampling.top_k = fields.whole("top_k", 0, 0, INT64_MAX);
    sampling.min_p = fields.number("min_p", 0);
    sampling.repetition_penalty = fields.number("repetition_penalty", 1);
    sampling.kind = sampling.top_p == 1 ? "multinomial" : "nucleus";
    if (sampling.temperature == 0) {
        sampling.kind = "greedy";
        sampling.temperature = 1;
    }
    try {
        check_sampling(sampling);
    } catch (const Error& error) {
        throw ApiError(400, error.what());
    }
    return sampling;
}

size_t model_of(Fields& fields, const std::vector<ServedModel>& models) {
    if (fields.find("model") == nullptr) {
        throw ApiError(400, "model: missing; GET /v1/models lists what is served", "", "model");
    }
    const std::string name = fields.text("model");
    const auto at = std::ranges::find(models, name, &ServedModel::name);
    if (at == models.end()) {
        throw ApiError(404,
                       "there is no model '" + to_one_line(name) +
                           "' here; GET /v1/models lists what is served",
                       "model_not_found", "model");
    }
    return size_t(at - models.begin());
}

Json object_of(const std::string& body) {
    constexpr int deepest = 8;
    std::string why = "found something else";
    try {
        const Json object =
            parse_json<Json>(body, deepest, [](const std::string& what) { fail("{}", what); });
        if (object.is_object()) {
            return object;
        }
    } catch (const Error& error) {
        why = error.what();
    } catch (const Json::exception&) {
        why = "found no valid JSON";
    }
    throw ApiError(400, "the body must be one JSON object: " + why);
}

}  // namespace

std::string ApiError::json() const {
    const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
    const char* const type = status >= 500   ? "server_error"
                             : status == 429 ? "rate_limit_error"
                                             : "invalid_request_error";
    const nlohmann::ordered_json error = {
        {"message", what()}, {"type", type}, {"param", or_null(param)}, {"code", or_null(code)}};
    return nlohmann::ordered_json{{"error", error}}.dump(-1, ' ', false,
                                                         Json::error_handler_t::replace);
}

CompletionRequest completion_request(const std::string& body,
                                     const std::vector<ServedModel>& models) {
    const Json object = object_of(body);
    Fields fields(object);
    CompletionRequest wanted;
    wanted.model = model_of(fields, models);
    const ServedModel& model = models[wanted.model];
    wanted.stops = stops_of(fields);
    wanted.seed = seed_of(fields);
    wanted.logprobs = fields.whole("logprobs", -1, 0, 20);
    wanted.echo = fields.flag("echo");
    wanted.stream = fields.flag("stream");
    wanted.details = fields.flag("details");
    if (const Json* const options = fields.find("stream_options")) {
        if (!options->is_object() || !wanted.stream) {
            refuse("stream_options", "expected an object, and stream: true beside it");
        }
        Fields inner(*options);
        wanted.include_usage = inner.flag("include_usage");
        inner.require_no_others();
    }
    constexpr int64_t shown_in_details = 5;
    TextRequest request{
        .prompt = {},
        .sampling = sampling_of(fields),
        .seed = wanted.seed,
        .samples = fields.whole("n", 1, 1, most_texts),
        .max_tokens = fields.whole("max_tokens", 16, 0, INT64_MAX),
        .experts = rule_of(fields, model.experts()),
        .log_probabilities = wanted.logprobs >= 0 || wanted.details,
        .likeliest = std::max(wanted.logprobs, wanted.details ? shown_in_details : 0),
        .router = wanted.details};
    request.of_prompt = wanted.echo && request.log_probabilities;
    fields.text("user");
    fields.require_nothing("best_of", {request.samples});
    fields.require_nothing("suffix", {""});
    fields.require_nothing("logit_bias", {Json::object()});
    fields.require_nothing("presence_penalty", {0});
    fields.require_nothing("frequency_penalty", {0});
    const std::vector<std::vector<int32_t>> prompts = prompts_of(fields, model.tokenizer);
    fields.require_no_others();
    if (int64_t(prompts.size()) * request.samples > most_texts) {
        refuse("n", fmt::format("at most {} texts may be asked for at once", most_texts));
    }
    const int64_t longest = model.config.model.context - (request.max_tokens > 0 ? 2 : 1);
    for (const std::vector<int32_t>& prompt : prompts) {
        if (int64_t(prompt.size()) > longest) {
            throw ApiError(400,
                           fmt::format("the prompt has {} tokens, and at most {} fit: the model's "
                                       "context is {}, start token included",
                                       prompt.size(), longest, model.config.model.context),
                           "context_length_exceeded", "prompt");
        }
        request.prompt = prompt;
        wanted.requests.push_back(request);
    }
    return wanted;
}

}  // namespace smoe
