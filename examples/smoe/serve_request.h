// A request for completions as OpenAI's interface has it, and what only this server has: taken out
// of its JSON, checked, and turned into requests for a scheduler. It knows nothing of HTTP but the
// numbers of its statuses.
// Read next: serve_reply.h, the way back; serve.h, the models that are served.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/check.h"
#include "examples/smoe/serve.h"
#include "models/generation/request.h"

namespace smoe {

// An answer that is no completion, as {"error": {"message", "type", "param", "code"}}.
struct ApiError : Error {
    ApiError(int status_code, const std::string& message, std::string error_code = "",
             std::string parameter = "")
        : Error(message),
          status(status_code),
          code(std::move(error_code)),
          param(std::move(parameter)) {}
    std::string json() const;

    int status;
    std::string code, param;  // "": null
};

struct CompletionRequest {
    size_t model = 0;
    std::vector<TextRequest> requests;  // one for each prompt
    std::vector<std::string> stops;
    uint64_t seed = 0;      // asked for, or drawn
    int64_t logprobs = -1;  // of so many likeliest tokens; -1: none
    bool echo = false, stream = false, include_usage = false;
    bool details = false;  // tell all about each token
};

//     model                 the name of a served model
//     prompt                text, a list of texts, token ids, or a list of lists of them; "" if missing
//     max_tokens            16; 0 with echo scores the prompt
//     temperature, top_p    1; a temperature of 0 is greedy sampling
//     n, stop, seed         1; a text or a list; drawn if missing
//     logprobs              from 0 to 20
//     echo, stream, stream_options.include_usage
//     top_k, min_p, repetition_penalty   as smoe generate has them
//     expert                its number, or "all": all neurons are on
//     banned_experts        a list of numbers
//     details               whether to tell each token's expert and probabilities
// `user` is taken and not used. best_of, suffix, logit_bias and the two penalties may be there if
// they ask for nothing. Throws ApiError for anything else.
CompletionRequest completion_request(const std::string& body,
                                     const std::vector<ServedModel>& models);

// The texts that one request may ask for, over all its prompts.
constexpr int64_t most_texts = 128;

}  // namespace smoe
