// What must hold of a request before a generator takes it, and what a rule makes of a choice.
// Read next: generator.cpp.
#include "models/generation/request.h"

#include <algorithm>

#include "core/check.h"
#include "models/transformer/single_moe.h"

namespace smoe {

const EnumNames<End>& enum_names(End) {
    static const EnumNames<End> names = {{End::end_of_text, "end_of_text"},
                                         {End::max_tokens, "max_tokens"},
                                         {End::context, "context"},
                                         {End::stop_string, "stop_string"},
                                         {End::interrupted, "interrupted"}};
    return names;
}

int32_t ExpertRule::allowed(int32_t chosen, std::span<const real> scores,
                            int64_t num_experts) const {
    const auto is_banned = [this](int32_t expert) {
        return std::ranges::find(banned, expert) != banned.end();
    };
    if (forced.has_value()) {
        return *forced;
    }
    if (!is_banned(chosen)) {
        return chosen;
    }
    const auto K = int32_t(num_experts);
    int32_t best = no_expert;
    for (int32_t i = 1; i < K; ++i) {
        const int32_t other = (chosen + i) % K;
        const bool better =
            best == no_expert || (!scores.empty() && scores[size_t(other)] > scores[size_t(best)]);
        if (!is_banned(other) && better) {
            best = other;
        }
    }
    return best;
}

void check_request(const TextRequest& request, const SingleMoe& moe) {
    const int64_t context = moe.model.settings().context;
    check_sampling(request.sampling);
    check(request.max_tokens >= 0, "generator: the number of tokens must not be negative, found {}",
          request.max_tokens);
    check(request.likeliest >= 0 && request.samples >= 1,
          "generator: found {} samples and {} likeliest tokens", request.samples,
          request.likeliest);
    check(int64_t(request.prompt.size()) <= context - 1,
          "generator: the prompt has {} tokens; {} fit into the model's context of {} behind the "
          "start token",
          request.prompt.size(), context - 1, context);
    const int64_t vocab = moe.model.settings().vocab;
    for (const int32_t id : request.prompt) {
        check(id >= 0 && id < vocab,
              "generator: the prompt holds token {}, the model knows {} tokens", id, vocab);
    }
    check(!moe.model.training() && !moe.router->training(),
          "generator: the model is in training mode, where dropout is on; call eval()");
    const ExpertRule& rule = request.experts;
    if (rule.is_none()) {
        return;
    }
    check(!moe.router->is_dense(), "generator: the model is dense, so no expert can be chosen");
    check(!moe.router->is_inside() || (rule.banned.empty() && rule.forced != no_expert),
          "generator: the router chooses inside the model, where an expert can be forced, but none "
          "banned, and not all neurons be on");
    const int64_t K = moe.router->num_experts();
    const auto check_expert = [K](int32_t expert, int32_t least) {
        check(expert >= least && expert < K, "generator: there is no expert {} among {}", expert,
              K);
    };
    check_expert(rule.forced.value_or(0), no_expert);
    std::vector<bool> banned(size_t(K), false);
    for (const int32_t expert : rule.banned) {
        check_expert(expert, 0);
        banned[size_t(expert)] = true;
    }
    check(std::ranges::count(banned, false) > 0, "generator: all {} experts are banned", K);
}

}  // namespace smoe
