// CompletionReply: a choice collects what its text has got, and a stream sends it after each token.
// Read next: tests/examples/serve_test.cpp.
#include "examples/smoe/serve_reply.h"

#include <ctime>
#include <random>

#include "core/utf8.h"
#include "examples/smoe/report_data.h"
#include "examples/smoe/token_json.h"

namespace smoe {
namespace {

std::string new_id() {
    std::random_device chance;
    return fmt::format("cmpl-{:08x}{:08x}", chance(), chance());
}

// A token's bytes as a string that tells every token apart.
std::string token_name(int32_t id, const Tokenizer& tokenizer) {
    if (id == tokenizer.end_of_text()) {
        return std::string(Tokenizer::end_of_text_name);
    }
    const std::string bytes(tokenizer.token_bytes(id));
    if (valid_utf8(bytes)) {
        return bytes;
    }
    std::string name = "bytes:";
    for (const char byte : bytes) {
        name += fmt::format("\\x{:02x}", uint8_t(byte));
    }
    return name;
}

const char* finish_reason(const std::string& ended_by) {
    const End end = enum_named<End>(ended_by);
    return end == End::end_of_text || end == End::stop_string ? "stop"
           : end == End::interrupted                          ? "interrupted"
                                                              : "length";
}

int64_t characters_in(std::string_view bytes) {
    return std::count_if(bytes.begin(), bytes.end(),
                         [](char byte) { return (uint8_t(byte) & 0xC0) != 0x80; });
}

constexpr int digits = 6;

}  // namespace

CompletionReply::CompletionReply(const CompletionRequest& request, const ServedModel& model)
    : request_(request), model_(model), id_(new_id()), created_(std::time(nullptr)) {
    choices_.resize(request.requests.size() * size_t(request.requests.at(0).samples));
}

std::string CompletionReply::add(const std::vector<Job::Piece>& pieces) {
    std::string events;
    for (const Job::Piece& piece : pieces) {
        Choice& choice = choices_[size_t(piece.text)];
        std::string text = choice.characters.add(piece.bytes);
        if (piece.end.has_value()) {
            text += choice.characters.finish();
            choice.ended_by = name_of(*piece.end);
        }
        choice.text += text;
        if (request_.stream) {
            choice.logprobs = Json();
            choice.details = Json::array();
        }
        if (piece.token.has_value()) {
            const bool is_end = piece.token->id == model_.tokenizer.end_of_text();
            completion_tokens_ += piece.of_prompt || is_end ? 0 : 1;
            if (request_.logprobs >= 0 && !is_end) {
                add_logprobs(choice, *piece.token);
            }
            if (request_.details) {
                choice.details.push_back(token_json(piece.token->view(), model_.tokenizer));
                if (piece.of_prompt) {
                    choice.details.back()["of_prompt"] = true;
                }
            }
        }
        const bool tells = !text.empty() || piece.end.has_value() || !choice.logprobs.is_null() ||
                           !choice.details.empty();
        if (request_.stream && tells) {
            // Not {...} alone, which is a list for g++ and a copy for clang.
            Json sent = object(Json::array({choice_json(piece.text, text, choice)}));
            if (request_.include_usage) {
                sent["usage"] = nullptr;
            }
            events += event_of(dumped(sent));
        }
    }
    return events;
}

std::string CompletionReply::finish() const {
    if (request_.stream) {
        std::string events;
        if (request_.include_usage) {
            Json sent = object(Json::array());
            sent["usage"] = usage();
            events = event_of(dumped(sent));
        }
        return events + event_of("[DONE]");
    }
    Json choices = Json::array();
    for (size_t index = 0; index < choices_.size(); ++index) {
        choices.push_back(choice_json(int64_t(index), choices_[index].text, choices_[index]));
    }
    Json whole = object(std::move(choices));
    whole["usage"] = usage();
    return dumped(whole);
}

CompletionReply::Json CompletionReply::object(Json choices) const {
    return {{"id", id_},
            {"object", "text_completion"},
            {"created", created_},
            {"model", model_.name},
            {"seed", request_.seed},
            {"choices", std::move(choices)}};
}

CompletionReply::Json CompletionReply::choice_json(int64_t index, const std::string& text,
                                                   const Choice& choice) const {
    Json json = {{"text", text},
                 {"index", index},
                 {"logprobs", choice.logprobs},
                 {"finish_reason", nullptr}};
    if (!choice.ended_by.is_null()) {
        json["finish_reason"] = finish_reason(choice.ended_by);
        json["ended_by"] = choice.ended_by;
    }
    if (request_.details) {
        json["details"] = choice.details;
    }
    return json;
}

// "logprobs" lists tokens, what they were given, the likeliest in their place and where they stand.
void CompletionReply::add_logprobs(Choice& choice, const WrittenToken& token) const {
    Json& lists = choice.logprobs;
    const std::string name = token_name(token.id, model_.tokenizer);
    if (lists.is_null()) {
        const Json top = request_.logprobs > 0 ? Json::array() : Json();
        lists = {{"tokens", Json::array()},
                 {"token_logprobs", Json::array()},
                 {"top_logprobs", top},
                 {"text_offset", Json::array()}};
    }
    lists["tokens"].push_back(name);
    lists["token_logprobs"].push_back(rounded(token.log_probability, digits));
    lists["text_offset"].push_back(choice.offset);
    const std::string told = choice.told.add(model_.tokenizer.token_bytes(token.id));
    choice.offset += characters_in(told);
    if (request_.logprobs > 0) {
        Json top = {{name, rounded(token.log_probability, digits)}};
        for (size_t i = 0; i < std::min(token.likeliest.size(), size_t(request_.logprobs)); ++i) {
            const Sampler::Ranked& other = token.likeliest[i];
            top[token_name(other.id, model_.tokenizer)] = rounded(double(other.value), digits);
        }
        lists["top_logprobs"].push_back(std::move(top));
    }
}

CompletionReply::Json CompletionReply::usage() const {
    int64_t prompt_tokens = 0;
    for (const TextRequest& request : request_.requests) {
        prompt_tokens += int64_t(request.prompt.size());
    }
    return {{"prompt_tokens", prompt_tokens},
            {"completion_tokens", completion_tokens_},
            {"total_tokens", prompt_tokens + completion_tokens_}};
}

nlohmann::ordered_json model_json(const ServedModel& model, int64_t created) {
    const int64_t experts = model.experts();
    return {{"id", model.name},
            {"object", "model"},
            {"created", created},
            {"owned_by", "smoe"},
            {"context", model.config.model.context},
            {"tokens", model.tokenizer.vocab_size()},
            {"routing", model.config.model.router.kind},
            {"experts", experts},
            {"can_ban", model.can_ban()}};
}

nlohmann::ordered_json models_json(const std::vector<ServedModel>& models, int64_t created) {
    nlohmann::ordered_json data = nlohmann::ordered_json::array();
    for (const ServedModel& model : models) {
        data.push_back(model_json(model, created));
    }
    return {{"object", "list"}, {"data", std::move(data)}};
}

std::string dumped(const nlohmann::ordered_json& json) {
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string event_of(const std::string& data) {
    return "data: " + data + "\n\n";
}

}  // namespace smoe
