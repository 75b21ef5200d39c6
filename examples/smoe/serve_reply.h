// Pieces of texts, turned into what a client reads: events while the texts are written, or one
// object at the end, as OpenAI's interface for completions has them.
// Read next: token_json.h; serve_http.cpp, which sends them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "examples/smoe/serve_request.h"
#include "examples/smoe/token_text.h"
#include "models/generation/scheduler.h"

namespace smoe {

// A choice has, beside "text", "index", "logprobs" and "finish_reason",
//     "ended_by"   end_of_text, max_tokens, context, stop_string or interrupted, once it has ended
//     "details"    of each token, as token_json() tells it, if the request asks for that; those of
//                  an echoed prompt have "of_prompt": true
// and the whole has "seed", with which the same request gives the same texts again.
class CompletionReply {
  public:
    // Both must outlive this.
    CompletionReply(const CompletionRequest& request, const ServedModel& model);

    // Takes what has come. Returns server-sent events for a stream, else "".
    std::string add(const std::vector<Job::Piece>& pieces);
    // What is sent last: the end of the stream, or the whole object.
    std::string finish() const;

  private:
    using Json = nlohmann::ordered_json;
    struct Choice {
        TokenText characters;
        std::string text;
        TokenText told;      // of all tokens, those of a stop string included
        int64_t offset = 0;  // characters of it
        Json logprobs, details = Json::array(), ended_by;
    };

    Json object(Json choices) const;
    Json choice_json(int64_t index, const std::string& text, const Choice& choice) const;
    void add_logprobs(Choice& choice, const WrittenToken& token) const;
    Json usage() const;

    const CompletionRequest& request_;
    const ServedModel& model_;
    std::string id_;
    int64_t created_, completion_tokens_ = 0;
    std::vector<Choice> choices_;
};

// {"object": "list", "data": [...]} and one of its entries.
nlohmann::ordered_json models_json(const std::vector<ServedModel>& models, int64_t created);
nlohmann::ordered_json model_json(const ServedModel& model, int64_t created);

// As text that may be sent: bytes that are no UTF-8 are replaced.
std::string dumped(const nlohmann::ordered_json& json);

// A server-sent event.
std::string event_of(const std::string& data);

}  // namespace smoe
